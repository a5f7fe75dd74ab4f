import type { Construct } from 'constructs';
import { Service, type ServiceProps } from '../service/index.ts';

/** A service that holds leases: nobody connects to it, and ECS leaves its tasks where they are. */
export class Worker extends Service {
  constructor(scope: Construct, props: ServiceProps) {
    super(scope, props.service, props, { kind: 'worker', zoneRebalancing: 'DISABLED' });
  }
}

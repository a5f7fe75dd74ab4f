import { Fn } from 'cdktf';
import type { ServiceName } from '../../services/catalogue.ts';

export interface ContainerProps {
  readonly service: ServiceName;
  readonly image: string;
  /** What the service's config.ts declares; the catalogue makes it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly region: string;
}

/** Of /healthz, /readyz, /metrics and the API. */
export const containerPort = 8080;

/** Fargate allows no more; a worker drains within STOP_TIMEOUT_MS, which is less. */
const stopTimeoutSeconds = 120;

/** The container of a task, as the JSON that ECS takes. */
export function containerDefinitions(props: ContainerProps): string {
  return Fn.jsonencode([
    {
      name: props.service,
      image: props.image,
      essential: true,
      command: ['node', `dist/services/${props.service}/main.js`],
      environment: Object.entries(props.environment)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => ({ name, value })),
      portMappings: [{ containerPort, hostPort: containerPort, protocol: 'tcp' }],
      user: '1000:1000',
      privileged: false,
      readonlyRootFilesystem: true,
      linuxParameters: { initProcessEnabled: true, capabilities: { drop: ['ALL'] } },
      stopTimeout: stopTimeoutSeconds,
      healthCheck: {
        command: ['CMD', 'node', 'dist/scripts/healthcheck.js'],
        interval: 15,
        timeout: 5,
        retries: 3,
        startPeriod: 60,
      },
      logConfiguration: {
        logDriver: 'awslogs',
        options: {
          'awslogs-group': props.logGroup,
          'awslogs-region': props.region,
          'awslogs-stream-prefix': props.service,
          // A slow log service must not stop the reading of a stream.
          mode: 'non-blocking',
          'max-buffer-size': '25m',
        },
      },
    },
  ]);
}

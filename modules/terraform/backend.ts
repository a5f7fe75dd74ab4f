import { TerraformBackend } from 'cdktf';
import type { Construct } from 'constructs';
import { BrokenInvariant } from '../../lib/runtime/errors.ts';

/**
 * State in S3, locked there. Bucket, region and key are given to `terraform init` (envs/NAME.s3.tfbackend), because a
 * backend takes no variables and the same synthesised stack serves every installation. Left out, `init` refuses.
 */
export class StateInS3 extends TerraformBackend {
  constructor(scope: Construct) {
    super(scope, 'backend', 's3');
  }

  protected override synthesizeAttributes(): { [name: string]: unknown } {
    return { encrypt: true, use_lockfile: true };
  }

  /** Nobody reads this state from another stack: stacks are joined by names. */
  override getRemoteStateDataSource(): never {
    throw new BrokenInvariant('stacks are joined by names, not by remote state');
  }
}

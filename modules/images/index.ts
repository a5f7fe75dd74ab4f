import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy/index.js';
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository/index.js';
import { Fn } from 'cdktf';
import { Construct } from 'constructs';
import type { Naming } from '../naming/index.ts';
import { pin } from '../terraform/pin.ts';

export interface ImagesProps {
  readonly naming: Naming;
  /** The key that layers are encrypted with. */
  readonly keyArn: string;
}

/** Releases that can be rolled back to; older images are removed. */
const releasesKept = 50;

/** The registry of the one platform image; the service is chosen by its command. */
export class Images extends Construct {
  readonly repositoryArn: string;
  /** Without tag. Made of names: known when the plan is made. */
  readonly repositoryUrl: string;

  constructor(scope: Construct, props: ImagesProps) {
    super(scope, 'images');
    const { naming } = props;
    const name = naming.name('platform');
    this.repositoryArn = naming.arn('ecr', `repository/${name}`);
    this.repositoryUrl = `${naming.account}.dkr.ecr.${naming.region}.amazonaws.com/${name}`;
    const repository = new EcrRepository(this, 'repository', {
      name,
      imageTagMutability: 'IMMUTABLE',
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: [{ encryptionType: 'KMS', kmsKey: props.keyArn }],
    });
    pin(repository, 'platform');
    new EcrLifecyclePolicy(this, 'lifecycle', {
      repository: repository.name,
      policy: Fn.jsonencode({
        rules: [
          {
            rulePriority: 1,
            description: `keep ${releasesKept} releases`,
            selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: releasesKept },
            action: { type: 'expire' },
          },
        ],
      }),
    });
  }
}

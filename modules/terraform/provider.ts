import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import type { TerraformStack } from 'cdktf';
import type { Naming } from '../naming/index.ts';
import type { Variables } from '../variables/index.ts';

/** The oldest Terraform that has what we use: validations across variables (1.9) and locks in S3 (1.10). */
const terraformVersion = '>= 1.10';

/** AWS in one region; every resource carries the tags that the budget and the bill are filtered by. */
export function declareProvider(stack: TerraformStack, variables: Variables, naming: Naming): void {
  stack.addOverride('terraform.required_version', terraformVersion);
  new AwsProvider(stack, 'aws', {
    region: variables.text('aws_region'),
    defaultTags: [
      {
        tags: {
          Platform: variables.text('name_prefix'),
          Environment: variables.text('environment'),
          Installation: naming.prefix,
          ManagedBy: 'terraform',
        },
      },
    ],
  });
}

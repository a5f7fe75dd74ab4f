import { TerraformOutput } from 'cdktf';
import { Construct } from 'constructs';

export interface Output {
  readonly description: string;
  readonly value: string;
}

/** What people and scripts ask of a deployment; `terraform output -json` prints it. */
export class Outputs extends Construct {
  constructor(scope: Construct, outputs: Readonly<Record<string, Output>>) {
    super(scope, 'outputs');
    for (const [name, output] of Object.entries(outputs)) {
      new TerraformOutput(this, name, output).overrideLogicalId(name);
    }
  }
}

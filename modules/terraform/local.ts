import { TerraformLocal, Token } from 'cdktf';
import type { Construct } from 'constructs';

/**
 * A Terraform local that holds an HCL expression (without `${}`), under a name that does not depend on the tree.
 * CDKTF escapes raw expressions inside its functions; a local is how hand-written HCL gets there.
 */
export function local(scope: Construct, name: string, hcl: string): TerraformLocal {
  const value = new TerraformLocal(scope, `local_${name}`, Token.asAny(`\${${hcl}}`));
  value.overrideLogicalId(name);
  return value;
}

/**
 * A local that holds a text with expressions in it. Inside CDKTF's functions a text may not have both quotes and
 * tokens; a local may.
 */
export function localText(scope: Construct, name: string, text: string): string {
  const value = new TerraformLocal(scope, `local_${name}`, text);
  value.overrideLogicalId(name);
  return value.asString;
}

import { propertyAccess, TerraformVariable, Token } from 'cdktf';
import { Construct } from 'constructs';
import type { VariableDefinition } from './definition.ts';

/** What a tfvars file may hold. Every other construct takes its settings from here. */
export class Variables extends Construct {
  readonly #variables: ReadonlyMap<string, TerraformVariable>;

  constructor(scope: Construct, definitions: readonly VariableDefinition[]) {
    super(scope, 'variables');
    this.#variables = new Map(definitions.map((definition) => [definition.name, this.#declare(definition)]));
  }

  #declare(definition: VariableDefinition): TerraformVariable {
    const variable = new TerraformVariable(this, definition.name, {
      type: definition.type.replaceAll(/\s+/g, ' '),
      description: definition.description,
      nullable: definition.fallback === null,
      ...('fallback' in definition && definition.fallback !== null ? { default: definition.fallback } : {}),
      ...(definition.rules
        ? {
            validation: definition.rules.map((rule) => ({
              condition: `\${${rule.holds.replaceAll(/\s+/g, ' ')}}`,
              errorMessage: rule.otherwise,
            })),
          }
        : {}),
    });
    if (definition.fallback === null) variable.addOverride('default', null);
    // A tfvars file names variables plainly, wherever they lie in the tree of constructs.
    variable.overrideLogicalId(definition.name);
    return variable;
  }

  /** A token for the value, or for an attribute of it, that may stand inside CDKTF functions. */
  text(name: string, ...path: readonly string[]): string {
    return Token.asString(this.#at(name, path));
  }

  number(name: string, ...path: readonly string[]): number {
    return Token.asNumber(this.#at(name, path));
  }

  list(name: string, ...path: readonly string[]): string[] {
    return Token.asList(this.#at(name, path));
  }

  #at(name: string, path: readonly string[]): unknown {
    const variable = this.#variables.get(name);
    if (!variable) throw new Error(`No variable "${name}" is declared in modules/variables.`);
    return path.length === 0 ? variable.value : propertyAccess(variable.value, [...path]);
  }
}

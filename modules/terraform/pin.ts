import type { TerraformElement } from 'cdktf';

/**
 * Gives an element an address that survives a move in the tree of constructs. Whatever holds data must be pinned:
 * a new address means destroy and create.
 */
export function pin<T extends TerraformElement>(element: T, name: string): T {
  element.overrideLogicalId(name);
  return element;
}

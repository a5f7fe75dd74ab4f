/**
 * What rides with a checkpoint in the same conditional write: plain values that DynamoDB's document client can
 * hold. The whole must stay well under DynamoDB's 400 KB item.
 */
export type SavedState = Readonly<Record<string, SavedValue>>;
export type SavedValue =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly SavedValue[]
  | { readonly [key: string]: SavedValue };

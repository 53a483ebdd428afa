import { harmless } from './harmless-text.ts';

/** `42`, or `(42, a)`: a composite key is recorded as a JSON array of texts. */
export function keyText(key: string): string {
  return harmless(/^\[".*"\]$/su.test(key) ? `(${(JSON.parse(key) as string[]).join(', ')})` : key);
}

/** `Patient`, or `sales.Order` outside of `public`. */
export function tableText({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return harmless(schema === 'public' ? table : `${schema}.${table}`);
}

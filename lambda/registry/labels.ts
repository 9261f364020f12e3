import { randomUUID } from 'node:crypto';

/**
 * Tags and description of a model or version. What is short stands in the owner's own item; what it has no room for stands in items of its own
 * below `set`. The description has the empty key, which no tag can have.
 */
export interface Labels {
  readonly inline: readonly (readonly [key: string, value: string])[];
  /** Where further ones stand; absent while there never were any. */
  readonly set?: string;
}

/** A label in an item of its own; without a value it was removed. */
export interface Overflow {
  readonly set: string;
  readonly key: string;
  readonly value?: string;
}

export interface LabelChange {
  readonly labels: Labels;
  readonly overflow: readonly Overflow[];
}

export const NO_LABELS: Labels = { inline: [] };
export const DESCRIPTION = '';

const LARGEST_INLINE = 2 * 1024;
const INLINE_ROOM = 32 * 1024;

const bytes = (key: string, value: string): number => Buffer.byteLength(key) + Buffer.byteLength(value) + 8;

/** Sets labels one after the other; a later one replaces an earlier one of the same key. */
export const setLabels = (labels: Labels, changes: Iterable<readonly [key: string, value: string]>): LabelChange => {
  const inline = new Map(labels.inline);
  const overflow = new Map<string, Overflow>();
  let { set } = labels;
  let room = INLINE_ROOM - labels.inline.reduce((sum, [key, value]) => sum + bytes(key, value), 0);
  for (const [key, value] of changes) {
    const size = bytes(key, value);
    const held = inline.get(key);
    if (held !== undefined) room += bytes(key, held);
    inline.delete(key);
    if (size <= LARGEST_INLINE && size <= room) {
      inline.set(key, value);
      overflow.delete(key);
      room -= size;
    } else {
      set ??= randomUUID();
      overflow.set(key, { set, key, value });
    }
  }
  return { labels: { inline: [...inline], set }, overflow: [...overflow.values()] };
};

/** Removes a label; what may stand in an item of its own is marked there as removed. */
export const removeLabel = ({ inline, set }: Labels, key: string): LabelChange => ({
  labels: { inline: inline.filter(([name]) => name !== key), set },
  overflow: set === undefined ? [] : [{ set, key }],
});

/** A label in the owner's item wins over one of the same key in an item of its own, which is older. */
export const readLabels = (
  { inline }: Labels,
  more: Labels['inline'] = [],
): { readonly description?: string; readonly tags: Readonly<Record<string, string>> } => {
  const all = new Map([...more, ...inline]);
  const description = all.get(DESCRIPTION);
  all.delete(DESCRIPTION);
  return { description: description === '' ? undefined : description, tags: Object.fromEntries(all) };
};

/** Longer words are cut: a hash or a path is found by its beginning. */
const LONGEST = 64;
/** Words of one thing; what comes later is not indexed. */
const MOST_WORDS = 120;

export const WEIGHTS = { name: 9, owner: 6, tag: 4, text: 2 } as const;

/** Text as one may type it differently: accents, case and width do not count. */
const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

/** Words of a text: every run of letters and digits, and what hyphens, dots and underscores join as one word too. */
export const wordsOf = (text: string): readonly string[] => {
  const found = new Set<string>();
  const spaced = text.replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2');
  for (const source of [text, spaced]) {
    for (const [joined] of fold(source).matchAll(/[\p{L}\p{N}]+(?:[-._][\p{L}\p{N}]+)*/gu)) {
      found.add(joined.slice(0, LONGEST));
      for (const part of joined.split(/[-._]/)) found.add(part.slice(0, LONGEST));
    }
  }
  return [...found];
};

/** Words that a query asks for: what is joined counts in its parts, since things are called `calm-crow-7` and looked for as `crow-7`. */
export const queryWords = (text: string): readonly string[] => [
  ...new Set([...fold(text).matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => word.slice(0, LONGEST))),
];

/** Words of several texts with the best weight of each; the heaviest first where there are too many. */
export const weigh = (texts: readonly (readonly [weight: number, text: string | undefined])[]): Record<string, number> => {
  const weights = new Map<string, number>();
  for (const [weight, text] of texts) {
    for (const word of wordsOf(text ?? '')) weights.set(word, Math.max(weight, weights.get(word) ?? 0));
  }
  return Object.fromEntries([...weights].sort((a, b) => b[1] - a[1]).slice(0, MOST_WORDS));
};

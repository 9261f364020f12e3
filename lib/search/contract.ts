// Shared by synth time and run time: imports nothing.

export const SEARCH_ENV = { indexTable: 'MLOPS_SEARCH_TABLE' } as const;

/** Sorts ascending what is newest first: ms since 1970 turned around, 16 digits. */
const newestFirst = (time: number): string => String(Math.max(0, 9_007_199_254_740_991 - Math.trunc(time))).padStart(16, '0');

/**
 * Index table, keys pk and sk. Everything in it is made from the registry and the runs, and can be made again.
 *   WORD#<word>           <9 - weight>#<newest first>#<kind>#<ref>  one thing that has the word, the best first
 *   DOCUMENT#<kind>#<ref> DOCUMENT                                 what the index says about a thing, and which state of the thing that is from
 */
export const SEARCH_KEYS = {
  word: (word: string) => `WORD#${word}`,
  entry: ({ kind, ref, time }: SearchHit, weight: number) => `${9 - weight}#${newestFirst(time)}#${kind}#${ref}`,
  document: ({ kind, ref }: Pick<SearchHit, 'kind' | 'ref'>) => `DOCUMENT#${kind}#${ref}`,
  documentSort: 'DOCUMENT',
} as const;

export type SearchKind = 'model' | 'version' | 'experiment' | 'run' | 'dataset';

/** A thing that was found. */
export interface SearchHit {
  readonly kind: SearchKind;
  /** Id of a model, experiment or run, `<model id>/<number>` of a version, `<name>@<digest>` of a dataset. */
  readonly ref: string;
  readonly title: string;
  /** One line that tells it from others: owner, cause, state. */
  readonly detail: string;
  /** ms since 1970: when it was made; of a dataset when the first run that used it began. */
  readonly time: number;
  /** Experiment of a run: nothing finds the run while the experiment is deleted. */
  readonly experimentId?: string;
}

/** A thing with its words and their weights, 1 to 9: what a thing is called counts most. */
export interface SearchDocument extends SearchHit {
  readonly words: Readonly<Record<string, number>>;
  /** Grows with every change of the thing: an older state never replaces a newer one. */
  readonly revision: number;
  /** Whether the thing is gone: then nothing finds it. */
  readonly gone: boolean;
}

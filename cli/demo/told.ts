/** A story that was told to its end. */
export interface Told {
  /** For `--json`. */
  readonly result: object;
  readonly summary: string;
  /** What did not go as the story says; empty where all did. */
  readonly wrong: readonly string[];
}

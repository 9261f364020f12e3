/** What a filter is made of. Quoted tokens keep their quotes; MLflow knows no way to write a quote inside its own kind. */
export interface Token {
  readonly kind: 'space' | 'word' | 'integer' | 'float' | 'single' | 'double' | 'backtick' | 'operator' | 'dot' | 'open' | 'close' | 'end' | 'other';
  readonly text: string;
  readonly at: number;
}

// A number that a letter follows is no number; letters are Latin here, as in MLflow's own grammar.
const RULES: readonly (readonly [Token['kind'], RegExp])[] = [
  ['space', /\s+/y],
  ['backtick', /`(?:``|[^`])*`/y],
  ['float', /-?\d+(?:\.\d+)?E-?\d+/iy],
  ['float', /-?(?:\d+\.\d*|\.\d+)(?![_A-Za-zÀ-ü])/y],
  ['integer', /-?\d+(?![_A-Za-zÀ-ü])/y],
  ['single', /'(?:''|\\'|[^'])*'/y],
  ['double', /"(?:""|\\"|[^"])*"/y],
  ['word', /[\p{L}\p{N}_]+/uy],
  ['operator', /[<>=~!]+/y],
  ['dot', /\./y],
  ['open', /\(/y],
  ['close', /\)/y],
  ['end', /;/y],
  ['other', /./suy],
];

const SPACE = /^\s+$/;

export const tokenize = (text: string): Token[] => {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    for (const [kind, rule] of RULES) {
      rule.lastIndex = at;
      const found = rule.exec(text)?.[0];
      if (found !== undefined) {
        tokens.push({ kind, text: found, at });
        at += found.length;
        break;
      }
    }
  }
  return tokens;
};

export const isBlank = (text: string): boolean => text === '' || SPACE.test(text);

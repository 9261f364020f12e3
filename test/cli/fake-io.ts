import type { Io } from '../../cli/io';

/** An Io that remembers what was written. */
export const fakeIo = (options: { readonly colours?: boolean; readonly stdin?: string; readonly environment?: NodeJS.ProcessEnv } = {}) => {
  const written = { out: '', err: '' };
  const io: Io = {
    environment: options.environment ?? {},
    isTerminal: false,
    colours: options.colours ?? false,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    stdin: async () => Buffer.from(options.stdin ?? ''),
  };
  return { io, written };
};

import type { Command } from 'commander';
import type { Io } from './io';

/** Options that every command about a platform takes, before or after the command's own. */
export interface PlatformOptions {
  readonly platform?: string;
  readonly local?: string | true;
  readonly json?: boolean;
}

export const jsonOption = (command: Command): Command => command.option('--json', 'print the result as JSON');

export const platformOptions = (command: Command): Command =>
  jsonOption(
    command
      .option('--platform <name>', 'which platform, where the account has several')
      .option('--local [engine]', 'talk to a running local engine instead of AWS; without a name: `default`, or the only one that runs'),
  );

/** The result as JSON for programs, else as text for people. */
export const emit = (io: Io, options: { readonly json?: boolean }, data: unknown, text: () => string): void =>
  io.out(options.json ? `${JSON.stringify(data, null, 2)}\n` : text());

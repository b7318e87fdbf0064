// The command. Verbs are loaded when they are asked for: `zeuxis --help` must not wait for a runtime it does not use.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { evaluateCommand } from './commands/evaluate.js';
import { generateCommand } from './commands/generate.js';
import { keysCommand } from './commands/keys.js';
import { doctorCommand, modelsCommand } from './commands/models.js';
import { rightsCommand } from './commands/rights.js';
import { styleCommand } from './commands/style.js';
import { trainCommand } from './commands/train.js';
import { upscaleCommand } from './commands/upscale.js';
import { verifyCommand } from './commands/verify.js';
import { endQuietly, print, printError } from './terminal.js';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 `verify` found a picture that was tampered with, 130 interrupted. */
export async function run(argv: readonly string[]): Promise<number> {
  endQuietly();
  let code = 0;
  const finish = (value: number) => {
    code = value;
  };
  const program = new Command('zeuxis')
    .description('Trains image models on your own pictures, generates, enlarges and paints with them, and marks what it makes.')
    .version(version())
    // What stands behind a sub-command's name is that command's, where the command above it knows an option of that name too.
    .enablePositionalOptions()
    .showHelpAfterError('(--help says more)')
    // It quotes arguments, and `*` may have made those from file names. Sub-commands inherit this.
    .configureOutput({ writeErr: (text) => print(process.stderr, text.trimEnd().split('\n')) })
    .exitOverride();
  for (const add of [trainCommand, generateCommand, upscaleCommand, styleCommand, evaluateCommand, rightsCommand, modelsCommand, verifyCommand, keysCommand, doctorCommand]) add(program, finish);
  // Commander's own `help` does not find `train gan`.
  const [first, ...rest] = argv;
  const known = program.commands.some((command) => command.name() === rest[0]);
  const asked = first === 'help' && rest.length > 0 ? (known ? [...rest, '--help'] : rest) : argv;
  try {
    await program.parseAsync(asked, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has already said what was wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    printError(error, argv.includes('--verbose'));
    return (error as Error)?.name === 'AbortError' ? 130 : 1;
  }
}

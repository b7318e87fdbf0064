// What a command shows: progress and notes on standard error, one JSON document or a few lines on standard output.

import type { Progress } from '@zeuxis/verbs';
import type { SingleBar } from 'cli-progress';

/** Options that every verb takes. */
export interface Common {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  device?: string;
  threads?: number;
}

/** Seconds between two lines where no bar can be drawn. */
const LINE_SECONDS = 15;

const duration = (seconds: number): string => {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const figures = ({ rate, secondsLeft, values }: Progress): string =>
  [
    rate === undefined ? '' : `${rate.toFixed(rate < 10 ? 1 : 0)}/s`,
    secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`,
    ...Object.entries(values ?? {}).map(([name, value]) => `${name} ${value.toPrecision(3)}`),
  ]
    .filter((part) => part !== '')
    .join(', ');

/**
 * Text as a terminal may have it. Names, labels, cards and manifests come from files that anyone may have made: a control
 * character in them could move the cursor and overwrite a verdict, a format character turn its direction.
 */
export const plain = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');

/** Lines for people. All go through here, and each is made plain. */
export function print(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.map(plain).join('\n')}\n`);
}

/** An error on standard error: one line for people, or the stack with --verbose. */
export function printError(error: unknown, verbose = false): void {
  const { name, stack } = error as Error;
  print(process.stderr, verbose && stack && name !== 'AbortError' ? stack.split('\n') : [explain(error)]);
}

/** One line for people. What is no UserError is a fault of ours and says so. */
function explain(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  const line = message?.split('\n')[0] ?? String(error);
  if (name === 'UserError' || name === 'DeviceError') return `error: ${line}`;
  if (name === 'AbortError') return 'stopped';
  return `error: ${line}${code ? ` (${code})` : ''}; --verbose shows where`;
}

/** Draws progress events: a bar in a terminal, a line now and then elsewhere, nothing with --quiet. */
export class Display {
  private bar: SingleBar | undefined;
  private stage = '';
  private figures = '';
  private lastLine = 0;
  private unsaid: string | undefined;

  constructor(private readonly quiet: boolean) {}

  /** Loads what a bar needs, so that `--help` need not. */
  static async open({ quiet = false }: Common): Promise<Display> {
    const display = new Display(quiet);
    if (!quiet && process.stderr.isTTY) {
      const { default: progress } = await import('cli-progress');
      display.bar = new progress.SingleBar({
        format: '{stage} [{bar}] {percentage}% {value}/{total} {unit} {figures}',
        barCompleteChar: '=',
        barIncompleteChar: ' ',
        barsize: 24,
        hideCursor: true,
        stream: process.stderr,
      });
    }
    return display;
  }

  show = (event: Progress): void => {
    if (event.note !== undefined) {
      // That a key was made, unasked, which signs in the user's name from now on, is said once: no other run says it again.
      if (event.stage === 'sign') this.noteAlways(event.note);
      else this.note(event.note);
      return;
    }
    if (this.quiet) return;
    const { stage, done, total, unit } = event;
    // Some events bring only the count; the figures of the one before still hold.
    const known = figures(event) || (stage === this.stage ? this.figures : '');
    if (this.bar) {
      // A stage may be a file's name.
      const payload = { stage: plain(stage), unit, figures: known };
      if (stage === this.stage) {
        this.bar.setTotal(total);
        this.bar.update(done, payload);
      } else {
        this.bar.stop();
        this.bar.start(total, done, payload);
      }
    } else {
      const line = `${stage} ${done}/${total} ${unit}${known ? `, ${known}` : ''}`;
      if (stage !== this.stage) this.flush();
      if (stage !== this.stage || performance.now() - this.lastLine > LINE_SECONDS * 1000) {
        this.lastLine = performance.now();
        this.unsaid = undefined;
        print(process.stderr, [line]);
      } else this.unsaid = line;
    }
    [this.stage, this.figures] = [stage, known];
  };

  /** The last state of a stage, where lines are drawn and it has not been said. */
  private flush(): void {
    if (this.unsaid !== undefined) print(process.stderr, [this.unsaid]);
    this.unsaid = undefined;
  }

  /** A line that stays. */
  note = (text: string): void => {
    if (!this.quiet) this.noteAlways(text);
  };

  /** A fault of one piece of work among others; said with --quiet as well. */
  error = (text: string): void => this.noteAlways(text);

  /** A line that stays, with --quiet as well. */
  private noteAlways(text: string): void {
    // The bar is drawn anew below the note.
    if (this.bar) this.close();
    print(process.stderr, [text]);
  }

  close(): void {
    this.bar?.stop();
    this.flush();
    this.stage = '';
  }
}

/** The answer of a verb: the whole of it with --json, otherwise its lines. */
export function answer(common: Common, document: unknown, lines: readonly string[]): void {
  if (common.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else print(process.stdout, lines);
}

let endsQuietly = false;

/**
 * Ends quietly where nobody reads any more, as in `zeuxis models | head -1`: what was to be done is done, what was to be
 * said is dropped, the exit code stays. An answer lost in any other way is a failure; progress never is.
 */
export function endQuietly(): void {
  if (endsQuietly) return;
  endsQuietly = true;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE' || stream === process.stderr) return;
      print(process.stderr, [`error: standard output cannot be written (${code})`]);
      process.exit(1);
    });
}

/** An abort on the first Ctrl-C, so that work can be put away; the second ends the process at once. */
export function interruptible(display: Display, say: string): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    display.note(say);
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

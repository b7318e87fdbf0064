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

/** Draws progress events: a bar in a terminal, a line now and then elsewhere, nothing with --quiet. */
export class Display {
  private bar: SingleBar | undefined;
  private stage = '';
  private lastLine = 0;

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
    if (this.quiet) return;
    if (event.note !== undefined) this.note(event.note);
    const { stage, done, total, unit } = event;
    if (this.bar) {
      const payload = { stage, unit, figures: figures(event) };
      if (stage === this.stage) {
        this.bar.setTotal(total);
        this.bar.update(done, payload);
      } else {
        this.bar.stop();
        this.bar.start(total, done, payload);
      }
    } else if (stage !== this.stage || performance.now() - this.lastLine > LINE_SECONDS * 1000) {
      this.lastLine = performance.now();
      const rest = figures(event);
      process.stderr.write(`${stage} ${done}/${total} ${unit}${rest ? `, ${rest}` : ''}\n`);
    }
    this.stage = stage;
  };

  /** A line that stays. */
  note = (text: string): void => {
    if (this.quiet) return;
    this.close();
    process.stderr.write(`${text}\n`);
  };

  close(): void {
    this.bar?.stop();
    this.stage = '';
  }
}

/** The answer of a verb: the whole of it with --json, otherwise its lines. */
export function answer(common: Common, document: unknown, lines: readonly string[]): void {
  if (common.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
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

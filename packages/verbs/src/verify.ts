// `verify`: where pictures are from, as far as it can be known, one answer a file, and a report of them all.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findPictures } from '@zeuxis/pictures';
import { type Answer, examine, type VerifyOptions } from '@zeuxis/provenance';
import type { VerbOptions } from './progress.js';
import { writeAnswers } from './verify-report.js';

export interface VerifyFilesOptions extends VerifyOptions, Pick<VerbOptions, 'onProgress'> {
  /** Files, and folders with everything below them. */
  inputs: readonly string[];
  /** An HTML file for a report with the pictures; none by default. */
  report?: string;
}

export interface VerifyResult {
  answers: Answer[];
  /** What hindered the examination of a file: a UserError, or a fault of ours. */
  failures: { file: string; error: Error }[];
}

/** From so many files on, it takes long enough to be told how far it is. */
const MANY = 8;
/** Beside what is found in a folder of training pictures. */
const ALSO = ['.gif', '.heic', '.heif'];

/**
 * Examines files one after another. A file that cannot be read is told in `failures`, and the others are answered all the same.
 * @throws UserError for a folder without pictures, and where the report cannot be written; an AbortError where the signal was aborted.
 */
export async function verifyFiles({ inputs, report, onProgress = () => {}, ...options }: VerifyFilesOptions): Promise<VerifyResult> {
  const files: string[] = [];
  for (const input of inputs) {
    if ((await stat(input).catch(() => undefined))?.isDirectory()) files.push(...(await findPictures(input, ALSO)).map((file) => join(input, file)));
    else files.push(input);
  }
  const result: VerifyResult = { answers: [], failures: [] };
  for (const [done, file] of files.entries()) {
    options.signal?.throwIfAborted();
    await examine(file, options).then(
      (answer) => result.answers.push(answer),
      (error: Error) => {
        options.signal?.throwIfAborted();
        // Also where the fault is ours: the answers on other files are not to be lost by one strange file.
        result.failures.push({ file, error });
      },
    );
    if (files.length > MANY) onProgress({ stage: 'verify', done: done + 1, total: files.length, unit: 'pictures' });
  }
  if (report !== undefined) await writeAnswers(report, result);
  return result;
}

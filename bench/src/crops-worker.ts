// The thread of `unmarkedCrops`: is told the number of a block, cuts its crops from one photograph, and says in which of them a watermark was found.

import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '@zeuxis/nets';
import { readWatermark } from '@zeuxis/provenance';
import sharp from 'sharp';

/** Crops of one photograph, between which it is not decoded anew. */
export const BLOCK = 50;
/** Side of a crop, and the shorter side of the photographs that they are cut from, at most, in px. */
const [SIDE, LARGEST] = [256, 1100];

export interface BlockAnswer {
  alarms: string[];
}

async function search(photograph: string, block: number): Promise<BlockAnswer> {
  const random = new Random(`crops ${block}`);
  const alarms: string[] = [];
  const { data, info } = await sharp(photograph).autoOrient().resize(LARGEST, LARGEST, { fit: 'outside', withoutEnlargement: true }).flatten({ background: 'white' }).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: 3 } as const;
  const shortest = Math.min(raw.width, raw.height);
  for (let i = 0; i < BLOCK; i++) {
    // Seen at another size each time, so that small pictures too give many.
    const by = (SIDE + random.below(Math.max(300, shortest - SIDE))) / shortest;
    const [width, height] = [Math.max(SIDE, Math.round(raw.width * by)), Math.max(SIDE, Math.round(raw.height * by))];
    // What the crop shows, cut out before it is brought to its size: of the rest nothing is asked.
    const [w, h] = [Math.min(raw.width, Math.round((SIDE * raw.width) / width)), Math.min(raw.height, Math.round((SIDE * raw.height) / height))];
    const crop = { left: random.below(raw.width - w + 1), top: random.below(raw.height - h + 1), width: w, height: h };
    const file = await sharp(data, { raw }).extract(crop).resize(SIDE, SIDE, { fit: 'fill', kernel: 'lanczos3' }).png({ compressionLevel: 1 }).toBuffer();
    if (await readWatermark(file)) alarms.push(`${basename(photograph)} ${block} ${i}`);
  }
  return { alarms };
}

parentPort?.on('message', (block: number) => {
  const photographs = workerData as string[];
  void search(photographs[block % photographs.length]!, block).then((answer) => parentPort!.postMessage(answer));
});

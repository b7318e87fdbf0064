// The other end of `StrokeLayer`: lays a band of a picture's strokes, in a thread of its own.

import { strokesAlong, whiteRows } from '@zeuxis/nets';
import type { Band } from './strokes.js';

export default ({ seen, first, seed, from, to }: Band): Float32Array => strokesAlong(seen, whiteRows(seen.width, seen.height, seed, first), from, to);

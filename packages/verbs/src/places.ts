// Where things are kept when nobody says where.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for packed pictures, which may be deleted at any time. */
export function cacheFolder(): string {
  if (process.env.ZEUXIS_CACHE) return process.env.ZEUXIS_CACHE;
  const base =
    process.platform === 'win32'
      ? process.env.LOCALAPPDATA
      : process.platform === 'darwin'
        ? join(homedir(), 'Library', 'Caches')
        : process.env.XDG_CACHE_HOME;
  return join(base ?? join(homedir(), '.cache'), 'zeuxis');
}

// Where this machine keeps Chromium, for the tests that need a browser or a GPU (scripts/test-needs.mjs gets it).
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PLACES = [
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];

/** The browser's path: CHROME_PATH where it is set, else the first that is found; undefined where there is none. */
export function findChromium() {
  const given = process.env.CHROME_PATH;
  const path = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return (given ? [given] : [...PLACES, ...path]).find((file) => existsSync(file));
}

/**
 * The description of Chromium's software Vulkan driver, for VK_DRIVER_FILES: a GPU for machines without one. It lies
 * beside the browser's program; Debian's `chromium` is a script in /usr/bin that starts the program in /usr/lib.
 * Undefined where it is missing or the library that reads it is.
 */
export function findSoftwareVulkan() {
  const browser = findChromium();
  if (process.platform !== 'linux' || !browser) return undefined;
  const beside = dirname(realpathSync(browser));
  const browsers = [beside, '/usr/lib/chromium', '/usr/lib/chromium-browser', '/usr/lib64/chromium-browser'];
  const driver = browsers.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((file) => existsSync(file));
  if (!driver) return undefined;
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const libraries = [dirname(driver), `/usr/lib/${machine}-linux-gnu`, '/usr/lib64', '/usr/lib'];
  return libraries.some((folder) => existsSync(join(folder, 'libvulkan.so.1'))) ? driver : undefined;
}

/** Whether tests fail without what they need: where it can be installed, or where nobody would read that they were skipped. */
export const isRequired = () => process.getuid?.() === 0 || !['', 'false', '0'].includes(process.env.CI ?? '');

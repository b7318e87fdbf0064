// Sees to what the tests in a browser and on a GPU need, before `npm test`: as root or in CI it is installed from the
// system's packages, elsewhere what is missing is named, with the tests that will not run.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findChromium, findSoftwareVulkan, isRequired } from './chromium.mjs';

const PACKAGES = ['chromium', 'libvulkan1'];
const say = (line) => process.stderr.write(`npm test: ${line}\n`);

/** What is missing, and what cannot be tested without it. */
function missing() {
  if (!findChromium()) {
    const given = process.env.CHROME_PATH;
    const browser = given ? `there is no browser at CHROME_PATH, ${given}` : 'there is no Chromium';
    const gpu = ['there is no software Vulkan, which comes with Chromium', 'the tests of webgpu on Node'];
    return [[browser, 'the tests of wasm and webgpu in a browser'], ...(process.platform === 'linux' ? [gpu] : [])];
  }
  if (process.platform !== 'linux' || findSoftwareVulkan()) return [];
  return [["there is no software Vulkan (Chromium's vk_swiftshader_icd.json and libvulkan.so.1)", 'the tests of webgpu on Node']];
}

/** Installs PACKAGES. Its output is kept to itself; a line says why where it cannot. */
function install() {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const run = (...command) => {
    const [program, ...args] = [...asRoot, ...command];
    return spawnSync(program, args, { stdio: 'ignore', timeout: 900_000 }).status;
  };
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300'];
  const apt = (...args) => run(...quietly, ...args);
  const names = PACKAGES.join(' and ');
  if (!existsSync('/usr/bin/apt-get')) return say(`${names} cannot be installed: there is no apt-get here`);
  if (asRoot.length > 0 && run('true') !== 0)
    return say(`${names} cannot be installed: sudo asks for a password, or is not there`);
  say(`installing ${names} for the tests in a browser and on a GPU …`);
  const lists = '/var/lib/apt/lists';
  const update = () => apt('update');
  const add = () => apt('install', '--yes', '--no-install-recommends', ...PACKAGES);
  const known = existsSync(lists) && readdirSync(lists).some((name) => /_Packages(\.\w+)?$/.test(name));
  if (!known) update();
  let status = add();
  // Lists that are out of date name files which are gone.
  if (status !== 0 && known && update() === 0) status = add();
  const byHand = [...asRoot, 'apt-get install', ...PACKAGES].join(' ');
  if (status !== 0) say(`apt-get could not install ${names}; \`${byHand}\` says why`);
}

// A path that was set by hand and is wrong is not mended by another browser.
if (missing().length > 0 && isRequired() && !process.env.CHROME_PATH) install();
for (const [what, tests] of missing()) say(`${what}: ${tests} will ${isRequired() ? 'fail' : 'be skipped'}`);

// Makes the component: `npm install && npm run build`, or `node build.js OUT.wasm`. With `--wasi` the runtime's imports
// stay in it; Tallow answers them with nothing.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { componentize } from '@bytecodealliance/componentize-js';

const here = dirname(fileURLToPath(import.meta.url));
const withWasi = process.argv.includes('--wasi');
const out = process.argv.slice(2).find((argument) => argument !== '--wasi') ?? join(here, 'parse-coinbase-js.wasm');

// The layout that the tool wants: a package, and those that it uses under `deps`.
const wit = mkdtempSync(join(tmpdir(), 'wit-'));
try {
  cpSync(join(here, '../../../wit/parse'), wit, { recursive: true });
  cpSync(join(here, '../../../wit/types'), join(wit, 'deps/types'), { recursive: true });
  const { component } = await componentize({
    sourcePath: join(here, 'parse.js'),
    witPath: wit,
    worldName: 'parse-function',
    // A function has no clock, no randomness and no network: without these the component imports types alone.
    disableFeatures: withWasi ? [] : ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
  });
  writeFileSync(out, component);
  console.log(`${out}  ${component.byteLength} bytes`);
} finally {
  rmSync(wit, { recursive: true });
}

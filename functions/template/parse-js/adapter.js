// Between the message (`message.js`) and the contract in `wit/`. It need not be changed.

import { Apart, COLUMNS, KIND, NAME, read, rejected } from './message.js';

export const parse = {
  describe() {
    return {
      name: NAME,
      version: '0.1.0',
      kinds: [KIND],
      columns: COLUMNS,
      wantsKeys: false,
      wantsHeaders: false,
    };
  },

  parse(batch, options) {
    check(options);
    const rows = [];
    const records = [];
    const marks = { ignored: [], rejected: [] };
    let rounded = 0n;
    const nulls = new Set(batch.values.nulls);
    let from = 0;
    batch.values.ends.forEach((end, record) => {
      const value = batch.values.bytes.subarray(from, end);
      from = end;
      try {
        if (nulls.has(record)) throw new Apart('ignored', 'tombstone');
        const row = scaled(read(value), options.columns);
        rows.push(row);
        records.push(record);
        rounded += row.rounded;
      } catch (apart) {
        if (!(apart instanceof Apart)) throw apart;
        marks[apart.list].push({ record, reason: apart.reason });
      }
    });
    return {
      rows: { rows: rows.length, columns: options.columns.map((wanted) => column(wanted, rows)) },
      records: Uint32Array.from(records),
      kinds: dictionary(rows.map(() => KIND)),
      ignored: marked(marks.ignored),
      rejected: marked(marks.rejected),
      rounded,
    };
  },
};

/** A mistake in the options is an error; bad data never is. */
function check(options) {
  const known = (what, name, names) => {
    if (!names.includes(name)) throw `there is no ${what} \`${name}\``;
  };
  options.kinds.forEach((kind) => known('kind', kind, [KIND]));
  options.columns.forEach((wanted) => known('column', wanted.name, COLUMNS.map((column) => column.name)));
  options.settings.forEach(([name]) => known('setting', name, []));
}

/** The row with the wanted decimals as mantissas, rounded half to even. */
function scaled(row, columns) {
  let rounded = 0n;
  for (const { name, scale } of columns) {
    if (row[name]?.places === undefined) continue;
    const { mantissa, places } = row[name];
    const unit = 10n ** BigInt(Math.max(places - scale, 0));
    let quotient = (mantissa * 10n ** BigInt(Math.max(scale - places, 0))) / unit;
    const rest = mantissa % unit;
    const twice = 2n * (rest < 0n ? -rest : rest);
    if (twice > unit || (twice === unit && quotient % 2n !== 0n)) quotient += mantissa < 0n ? -1n : 1n;
    const fits = quotient < 10n ** 38n && quotient > -(10n ** 38n) && (quotient !== 0n || mantissa === 0n);
    if (!fits) throw rejected(`\`${name}\` does not fit ${scale} places`);
    if (rest !== 0n) rounded += 1n;
    row[name] = quotient;
  }
  return { ...row, rounded };
}

function column({ name, scale }, rows) {
  const { type } = COLUMNS.find((column) => column.name === name);
  const values = rows.map((row) => row[name]);
  const valid = values.map((value) => value !== null);
  return { name, data: data(type, scale, values), validity: valid.every(Boolean) ? undefined : bits(valid) };
}

function data(type, scale, values) {
  if (type === 'text') return { tag: 'text', val: dictionary(values) };
  const low = BigInt64Array.from(values, (value) => BigInt.asIntN(64, value ?? 0n));
  if (type !== 'decimal') return { tag: type, val: low };
  const wide = values.some((value) => BigInt.asIntN(64, value) !== value);
  const high = wide ? BigInt64Array.from(values, (value) => value >> 64n) : undefined;
  return { tag: 'decimal', val: { scale, values: low, high } };
}

/** A bit a row, least significant bit first. */
function bits(valid) {
  const bytes = new Uint8Array(Math.ceil(valid.length / 8));
  valid.forEach((is, row) => (bytes[row >> 3] |= Number(is) << (row & 7)));
  return bytes;
}

function dictionary(texts) {
  const codes = new Map();
  const chunks = [];
  const ends = [];
  let end = 0;
  const encoder = new TextEncoder();
  const code = (entry) => {
    if (!codes.has(entry)) {
      const bytes = encoder.encode(entry);
      codes.set(entry, ends.length);
      chunks.push(bytes);
      ends.push((end += bytes.length));
    }
    return codes.get(entry);
  };
  const all = Uint32Array.from(texts, code);
  const bytes = new Uint8Array(end);
  chunks.forEach((chunk, index) => bytes.set(chunk, index === 0 ? 0 : ends[index - 1]));
  return { bytes, ends: Uint32Array.from(ends), codes: all };
}

function marked(marks) {
  return {
    records: Uint32Array.from(marks, (mark) => mark.record),
    reasons: dictionary(marks.map((mark) => mark.reason)),
  };
}

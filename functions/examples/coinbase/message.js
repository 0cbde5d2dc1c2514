// What a message is, and what becomes of it: the file to change.
//
// Matches of Coinbase's WebSocket feed.

export const NAME = 'parse-coinbase-js';

/** The kind of its rows; windows name those that they take. */
export const KIND = 'trade';

/** The columns that it can make. */
export const COLUMNS = [
  { name: 'symbol', type: 'text', meaning: 'what was traded' },
  { name: 'event_time', type: 'timestamp-us', meaning: 'when it was traded, UTC' },
  { name: 'price', type: 'decimal', meaning: 'price of one, in the quote currency' },
  { name: 'quantity', type: 'decimal', meaning: 'how much was traded' },
  { name: 'id', type: 'int64', meaning: 'trade id, counted up by symbol' },
];

/** A message that gives no row: `ignored`, being of no interest, or `rejected`, being broken. The reason is counted. */
export class Apart {
  constructor(list, reason) {
    this.list = list;
    this.reason = reason;
  }
}

export const rejected = (reason) => new Apart('rejected', reason);

const ignored = (reason) => new Apart('ignored', reason);

/** The values of a message, by column. It depends on the message alone. */
export function read(bytes) {
  let message;
  try {
    message = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw rejected('not JSON');
  }
  if (message === null || typeof message !== 'object' || Array.isArray(message)) throw rejected('not a JSON object');
  switch (message.type) {
    case 'match':
    case 'last_match':
      break;
    case 'heartbeat':
    case 'subscriptions':
      throw ignored(message.type);
    default:
      throw rejected('not a match');
  }
  return {
    symbol: text(message, 'product_id'),
    event_time: time(message, 'time'),
    price: decimal(message, 'price'),
    quantity: decimal(message, 'size'),
    id: Number.isSafeInteger(message.trade_id) ? BigInt(message.trade_id) : null,
  };
}

function text(message, name) {
  if (typeof message[name] !== 'string') throw rejected(`\`${name}\` is no text`);
  return message[name].toWellFormed();
}

/** Microseconds since 1970-01-01 UTC. */
function time(message, name) {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text(message, name));
  const ms = parts ? Date.parse(`${parts[1]}Z`) : NaN;
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== parts[1]) {
    throw rejected(`\`${name}\` is no time`);
  }
  return BigInt(ms) * 1000n + BigInt((parts[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** A decimal as it was written: the number is mantissa / 10^places. */
function decimal(message, name) {
  const written = typeof message[name] === 'number' ? String(message[name]) : message[name];
  const parts = typeof written === 'string' ? /^(-?)(\d+)(?:\.(\d+))?$/.exec(written) : null;
  const places = parts?.[3] ?? '';
  if (!parts || parts[2].length + places.length > 38) throw rejected(`\`${name}\` is no decimal`);
  const mantissa = BigInt(parts[2] + places);
  return { name, mantissa: parts[1] ? -mantissa : mantissa, places: places.length };
}

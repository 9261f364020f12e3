// What requests to DynamoDB cost, by its pricing rules, counted where the SDK sends them: it needs no answer about capacity from the table.

const bytesOf = (value) => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  // Two digits a byte, and one for the number itself.
  if (typeof value === 'number') return Math.ceil(String(value).replace(/[-.]|e.*/gi, '').length / 2) + 1;
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return 3 + value.reduce((sum, member) => sum + 1 + bytesOf(member), 0);
  return typeof value === 'object' && value !== null ? 3 + itemBytes(value) + Object.keys(value).length : 1;
};

/** Of an item as the document client takes and gives it. */
export const itemBytes = (item = {}) =>
  Object.entries(item).reduce((sum, [name, value]) => sum + (value === undefined ? 0 : Buffer.byteLength(name) + bytesOf(value)), 0);

const writeUnits = (bytes) => Math.max(1, Math.ceil(bytes / 1024));
/** Consistent reads. */
const readUnits = (bytes) => Math.max(1, Math.ceil(bytes / 4096));

const costs = {
  GetItemCommand: (_, { Item }) => ({ reads: 1, read: readUnits(itemBytes(Item)), items: [Item].filter(Boolean) }),
  BatchGetItemCommand: (_, { Responses }) => {
    const items = Object.values(Responses ?? {}).flat();
    return { reads: 1, read: items.reduce((sum, item) => sum + readUnits(itemBytes(item)), 0), items };
  },
  QueryCommand: (_, { Items = [] }) => ({ reads: 1, read: readUnits(Items.reduce((sum, item) => sum + itemBytes(item), 0)), items: Items }),
  PutItemCommand: ({ Item }) => ({ writes: 1, write: writeUnits(itemBytes(Item)), items: [Item] }),
  // A transaction costs twice.
  TransactWriteItemsCommand: ({ TransactItems }) => {
    const items = TransactItems.map(({ Put }) => Put.Item);
    return { writes: 1, write: items.reduce((sum, item) => sum + 2 * writeUnits(itemBytes(item)), 0), items };
  },
};

/** Counts what a client of DynamoDB sends; `take` answers the sums and begins anew. */
export const counting = (client) => {
  const empty = () => ({ readRequests: 0, writeRequests: 0, readUnits: 0, writeUnits: 0, bytes: 0, items: 0 });
  let sums = empty();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const cost = costs[context.commandName](args.input, result.output);
      sums.readRequests += cost.reads ?? 0;
      sums.writeRequests += cost.writes ?? 0;
      sums.readUnits += cost.read ?? 0;
      sums.writeUnits += cost.write ?? 0;
      sums.items += cost.items.length;
      sums.bytes += cost.items.reduce((sum, item) => sum + itemBytes(item), 0);
      return result;
    },
    { step: 'initialize', name: 'counting', priority: 'high' },
  );
  return {
    take: () => {
      const taken = sums;
      sums = empty();
      return taken;
    },
  };
};

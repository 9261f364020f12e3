/** One figure as a JSON line: value, limit and their ratio (1 or less is within the limit). */
export const line = (figure, value, unit, limit, more = {}) => {
  const ratio = limit === undefined ? undefined : Math.round((value / limit) * 1000) / 1000;
  process.stdout.write(`${JSON.stringify({ figure, value: Math.round(value * 100) / 100, unit, limit, ratio, ...more })}\n`);
};

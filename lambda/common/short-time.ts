/** A time for a sentence: the day where it is a midnight in UTC, else day and minute. */
export const shortTime = (iso: string): string => {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const [day, clock] = time.toISOString().split('T');
  return clock === '00:00:00.000Z' ? day : `${day} ${clock.slice(0, 5)} UTC`;
};

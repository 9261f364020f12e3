/** Lines and rows that could not be used, counted by cause, each with the place of the first one; no content, which may be personal data. */
export class Rejections {
  private readonly byCause = new Map<string, { count: number; sample: string }>();

  public add(cause: string, where: string, why: string): void {
    const entry = this.byCause.get(cause) ?? { count: 0, sample: `${where}: ${why}` };
    entry.count += 1;
    this.byCause.set(cause, entry);
  }

  public get total(): number {
    return [...this.byCause.values()].reduce((sum, { count }) => sum + count, 0);
  }

  public counts(): Record<string, number> {
    return Object.fromEntries([...this.byCause].map(([cause, { count }]) => [cause, count]));
  }

  public samples(): Record<string, string> {
    return Object.fromEntries([...this.byCause].map(([cause, { sample }]) => [cause, sample]));
  }
}

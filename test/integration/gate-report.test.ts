import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as playwright, type Page } from 'playwright-core';
import { renderGate } from '../../lambda/pipeline/gate/page/render';
import type { GateReport } from '../../lambda/pipeline/gate/types';
import { binaryReport, classesReport, firstReport, passedReport, refusedReport } from '../lambda/pipeline/gate-report-samples';
import { FOCUSED, POOR_CONTRAST, STRUCTURE } from './page-checks';

interface Stop {
  readonly what: string;
  readonly top: number;
  readonly outlined: boolean;
  readonly atEnd: boolean;
}

interface Structure {
  readonly levels: readonly number[];
  readonly tablesWithoutHeaders: number;
  readonly deadLinks: number;
  readonly hiddenTables: number;
  readonly width: number;
}

/** Set to a directory to look at what the browser saw. */
const SCREENSHOTS = process.env.MLOPS_SCREENSHOTS;
const WIDE = { viewport: { width: 1200, height: 900 } };

const REPORTS: readonly (readonly [string, () => GateReport])[] = [
  ['passed', passedReport],
  ['refused', refusedReport],
  ['first', firstReport],
  ['binary', binaryReport],
  ['classes', classesReport],
];

describe('the gate’s report in a browser', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'mlops-gate-report-'));
  const fileOf = (name: string): string => path.join(home, `${name}.html`);
  let browser: Browser;

  beforeAll(async () => {
    for (const [name, report] of REPORTS) writeFileSync(fileOf(name), renderGate(report()));
    const args = ['--no-sandbox', '--disable-gpu'];
    browser = await playwright.launch({ executablePath: await chromium.executablePath(), args, env: { HOME: home } });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** A page with everything that went wrong while it was built, and everything it asked for besides itself. */
  const open = async (name: string, options: BrowserContextOptions = WIDE, media?: 'print', as = 'light') => {
    const page = await browser.newPage(options);
    const url = pathToFileURL(fileOf(name)).href;
    const faults: string[] = [];
    page.on('console', (message) => void (['error', 'warning'].includes(message.type()) && faults.push(message.text())));
    page.on('pageerror', (error) => void faults.push(error.message));
    page.on('request', (request) => void (request.url() !== url && faults.push(`asked for ${request.url()}`)));
    if (media) await page.emulateMedia({ media });
    await page.goto(url);
    if (SCREENSHOTS) await page.screenshot({ path: path.join(SCREENSHOTS, `gate-${name}-${as}.png`), fullPage: true });
    return { page, faults };
  };

  const structure = (page: Page): Promise<Structure> => page.evaluate<Structure>(STRUCTURE);

  test.each(REPORTS.map(([name]) => name))('%s: is built without an error, loads nothing, and has its parts in order', async (name) => {
    const { page, faults } = await open(name);
    expect(faults).toEqual([]);
    expect(await page.title()).toMatch(/^BikeDemand: the candidate (passed the gate|was refused)/);
    for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count()).toBe(1);
    const { levels, tablesWithoutHeaders, deadLinks } = await structure(page);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.slice(1).forEach((level, index) => expect(level - levels[index]).toBeLessThanOrEqual(1));
    expect({ tablesWithoutHeaders, deadLinks }).toEqual({ tablesWithoutHeaders: 0, deadLinks: 0 });
    await page.close();
  }, 60_000);

  test.each(['light', 'dark'] as const)('every text has a contrast of at least 4.5 in %s', async (colorScheme) => {
    for (const name of ['refused', 'binary']) {
      const { page } = await open(name, { ...WIDE, colorScheme }, undefined, colorScheme);
      const { found, checked, dark } = await page.evaluate<{ found: string[]; checked: number; dark: boolean }>(POOR_CONTRAST);
      expect(found).toEqual([]);
      expect(checked).toBeGreaterThan(80);
      expect(dark).toBe(colorScheme === 'dark');
      await page.close();
    }
  }, 60_000);

  test('is read by keyboard: skip link first, then contents, then each table and chart, in the order of the page', async () => {
    const { page } = await open('passed');
    const stops: Stop[] = [];
    for (let at: Stop | undefined; !at?.atEnd && stops.length < 100; ) {
      await page.keyboard.press('Tab');
      at = await page.evaluate<Stop>(FOCUSED);
      if (!at.atEnd) stops.push(at);
    }
    expect(stops[0].what).toBe('a Skip to the rules');
    expect(stops[1].what).toBe('a Rules');
    const expected = ['div Rules', 'div Chart: improvement', 'div Metrics', 'summary Figures by weather'];
    expect(stops.map(({ what }) => what)).toEqual(expect.arrayContaining(expected));
    expect(stops.every(({ outlined }) => outlined)).toBe(true);
    await page.close();
  }, 60_000);

  test('fits a narrow screen without scrolling sideways', async () => {
    for (const [name] of REPORTS) {
      const { page } = await open(name, { viewport: { width: 320, height: 640 } }, undefined, 'narrow');
      expect([name, (await structure(page)).width]).toEqual([name, 320]);
      await page.close();
    }
  }, 60_000);

  test('on paper everything is open, and nothing runs out of the page', async () => {
    const { page } = await open('refused', { viewport: { width: 720, height: 1000 } }, 'print', 'print');
    const { hiddenTables, width } = await structure(page);
    expect(hiddenTables).toBe(0);
    expect(width).toBeLessThanOrEqual(720);
    await page.close();
  }, 60_000);
});

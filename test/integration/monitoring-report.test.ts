import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as playwright, type Page } from 'playwright-core';
import { renderReport } from '../../lambda/monitoring/report/render';
import { samplePage } from '../lambda/monitoring/report/samples';
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
  readonly border: string;
}

const structure = (page: Page): Promise<Structure> => page.evaluate<Structure>(STRUCTURE);

/** Set to a directory to look at what the browser saw. */
const SCREENSHOTS = process.env.MLOPS_SCREENSHOTS;

const EVIL = '<img src=x onerror="document.title=1">';

describe('the monitoring report in a browser', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'mlops-report-'));
  const file = path.join(home, 'report.html');
  let browser: Browser;

  beforeAll(async () => {
    const { result, context } = samplePage();
    const drift = { ...result.drift, skipped: [...result.drift.skipped, { name: EVIL, reason: EVIL }] };
    writeFileSync(file, renderReport({ ...result, drift }, context));
    const args = ['--no-sandbox', '--disable-gpu'];
    browser = await playwright.launch({ executablePath: await chromium.executablePath(), args, env: { HOME: home } });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** A page with everything that went wrong while it was built, and everything it asked for besides itself. */
  const open = async (name: string, options: BrowserContextOptions = {}, media?: 'print'): Promise<{ page: Page; faults: string[] }> => {
    const page = await browser.newPage(options);
    const faults: string[] = [];
    page.on('console', (message) => void (['error', 'warning'].includes(message.type()) && faults.push(message.text())));
    page.on('pageerror', (error) => void faults.push(error.message));
    page.on('request', (request) => void (request.url() !== pathToFileURL(file).href && faults.push(`asked for ${request.url()}`)));
    if (media) await page.emulateMedia({ media });
    await page.goto(pathToFileURL(file).href);
    if (SCREENSHOTS) await page.screenshot({ path: path.join(SCREENSHOTS, `report-${name}.png`), fullPage: true });
    return { page, faults };
  };

  test('is built without an error, loads nothing, and its policy lets its own style through', async () => {
    const { page, faults } = await open('light', { viewport: { width: 1200, height: 900 } });
    expect(faults).toEqual([]);
    expect(await page.title()).toMatch(/^BikeDemand v2 needs attention/);
    expect((await structure(page)).border).toBe('5px');
    await page.close();
  }, 60_000);

  test.each(['light', 'dark'] as const)('every text has a contrast of at least 4.5 in %s', async (colorScheme) => {
    const { page } = await open(colorScheme, { colorScheme, viewport: { width: 1200, height: 900 } });
    const { found, checked, dark } = await page.evaluate<{ found: string[]; checked: number; dark: boolean }>(POOR_CONTRAST);
    expect(found).toEqual([]);
    expect(checked).toBeGreaterThan(300);
    expect(dark).toBe(colorScheme === 'dark');
    await page.close();
  }, 60_000);

  test('is read by keyboard: skip link first, then contents, then each region and each table of numbers, in the order of the page', async () => {
    const { page } = await open('keyboard', { viewport: { width: 1200, height: 900 } });
    const stops: Stop[] = [];
    for (let at: Stop | undefined; !at?.atEnd && stops.length < 200; ) {
      await page.keyboard.press('Tab');
      at = await page.evaluate<Stop>(FOCUSED);
      if (!at.atEnd) stops.push(at);
    }
    expect(stops[0].what).toBe('a Skip to the verdicts');
    expect(stops[1].what).toBe('a What is promised');
    expect(stops.map(({ what }) => what)).toEqual(expect.arrayContaining(['div References', 'summary Numbers of humidity', 'div Metrics']));
    expect(stops.every(({ outlined }) => outlined)).toBe(true);
    const tops = stops.slice(1).map(({ top }) => top);
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    await page.locator('summary', { hasText: 'Numbers of humidity' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.getByRole('row', { name: /Median/ }).first().isVisible()).toBe(true);
    await page.close();
  }, 60_000);

  test('has landmarks, headings without gaps, named tables and charts for a screen reader', async () => {
    const { page } = await open('structure');
    for (const role of ['banner', 'main', 'contentinfo'] as const) expect(await page.getByRole(role).count()).toBe(1);
    expect(await page.getByRole('navigation', { name: 'Contents' }).count()).toBe(1);
    const { levels, tablesWithoutHeaders, deadLinks } = await structure(page);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.slice(1).forEach((level, index) => expect(level - levels[index]).toBeLessThanOrEqual(1));
    expect(await page.getByRole('img', { name: 'Distribution of humidity' }).count()).toBe(1);
    expect({ tablesWithoutHeaders, deadLinks }).toEqual({ tablesWithoutHeaders: 0, deadLinks: 0 });
    await page.close();
  }, 60_000);

  test('fits a narrow screen without scrolling sideways', async () => {
    const { page } = await open('narrow', { viewport: { width: 320, height: 640 } });
    expect((await structure(page)).width).toBe(320);
    await page.close();
  }, 60_000);

  test('on paper everything is open, and nothing runs out of the page', async () => {
    const { page } = await open('print', { viewport: { width: 720, height: 1000 } }, 'print');
    const { hiddenTables, width } = await structure(page);
    expect(hiddenTables).toBe(0);
    expect(width).toBeLessThanOrEqual(720);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.length).toBeGreaterThan(20_000);
    await page.close();
  }, 60_000);
});

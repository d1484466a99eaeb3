import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { driftloop } from '../commands.ts';
import { replayStream } from './replayStream.ts';

/** A name that would end the element with the data, if it were written there as it is. */
const hostileModel = '</script><script>document.title = "broken"</script>';

/** Runs in the browser: returns how many colours a chart has. */
const coloursOfCanvas = new Function(
  'canvas',
  `const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
   return new Set(new Uint32Array(data.buffer)).size;`,
) as (canvas: unknown) => number;

describe('the page of a replay, in a browser', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  /** Errors of the page, and requests that it has made. */
  const errors: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'driftloop-html-'));
    const file = (name: string, lines: readonly string[]) => {
      writeFileSync(join(folder, name), lines.join('\n'));
      return join(folder, name);
    };
    const { predictions, feedback } = replayStream({
      rows: 9_000,
      rowsPerHour: 300,
      shiftAtRow: 6_000,
    });
    const other = { ...JSON.parse(predictions[0]!), id: 'h', model: hostileModel };
    const { errors: output, exitCode } = await driftloop(
      {
        KAFKA_BROKERS: inject('kafkaBrokers'),
        SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
        CLICKHOUSE_URL: inject('clickhouseUrl'),
      },
      'replay',
      '--predictions',
      file('p.jsonl', [...predictions, JSON.stringify(other), 'no JSON']),
      '--feedback',
      file('f.jsonl', feedback),
      '--report',
      join(folder, 'r.json'),
      '--html',
      join(folder, 'r.html'),
      '--no-retrain',
    );
    expect(exitCode, output).toBe(3);
    browser = await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: chromium.args,
    });
    const context = await browser.newContext({ locale: 'en-US', offline: true });
    page = await context.newPage();
    page.on('pageerror', error => errors.push(error.message));
    page.on('console', message => errors.push(message.text()));
    page.on('request', request => requests.push(request.url()));
    await page.goto(pathToFileURL(join(folder, 'r.html')).href);
    await page.getByLabel('Model version').selectOption({ label: 'churn, version 1' });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the counts, what changed and what was refused, as the JSON report has it', async () => {
    const report = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8'));
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/9,000\s+predictions/);
    const [event, ...others] = report.driftEvents;
    expect(others).toEqual([]);
    expect(text).toContain('data drift of age');
    expect(text).toContain(event.explanation);
    expect(text).toContain('malformed-json');
    expect(await page.title()).toBe('Driftloop replay');
  });

  it('draws the quality and the feature that changed', async () => {
    const charts = page.locator('figure.chart canvas');
    expect(await charts.count()).toBe(2);
    for (const chart of await charts.all()) {
      const colours = await chart.evaluate(coloursOfCanvas);
      expect(colours).toBeGreaterThan(10);
    }
    const feature = page.locator('details.panel').first();
    expect(await feature.locator('summary').first().innerText()).toBe('age numeric 1 drift event');
  });

  it('shows the distribution of the window that is chosen beside the reference', async () => {
    const slider = page.getByLabel('window of age');
    const barsOf = () => page.locator('details.panel').first().locator('.bars').innerText();
    const last = await barsOf();
    expect(last).toMatch(/from \d+\n/);
    await slider.fill('0');
    expect(await barsOf()).not.toBe(last);
    await slider.fill(String(await slider.getAttribute('max')));
    expect(await barsOf()).toBe(last);
  });

  it('shows another metric and another version when they are chosen', async () => {
    await page.getByLabel('Metric', { exact: true }).selectOption('auc');
    expect(await page.locator('figure[aria-label="auc over time"]').count()).toBe(1);
    await page.getByLabel('Model version').selectOption({ label: `${hostileModel}, version 1` });
    expect(await page.locator('main').innerText()).toMatch(/1\s+predictions/);
    await page.getByLabel('Model version').selectOption({ label: 'churn, version 1' });
  });

  it('fits a telephone, without scrolling sideways', async () => {
    await page.setViewportSize({ width: 380, height: 700 });
    const [content, window] = await page.evaluate<number[]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(content).toBeLessThanOrEqual(window!);
  });

  it('asks no server for anything, and meets no error', () => {
    expect(requests.filter(url => !url.startsWith('file:'))).toEqual([]);
    expect(errors).toEqual([]);
  });
});

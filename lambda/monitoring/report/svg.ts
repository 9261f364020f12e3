/** Small pieces of SVG that all charts of a page are made of. */

const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[character] as string);

/** One decimal is a tenth of a pixel. */
export const at = (value: number): string => String(Math.round(value * 10) / 10);

export interface Frame {
  /** Unique on the page. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** The chart in words, for whoever does not see it. */
  readonly description: string;
  readonly kind?: 'small' | 'wide';
}

export const svg = ({ id, width, height, title, description, kind = 'small' }: Frame, body: string): string =>
  `<svg class="${kind}" viewBox="0 0 ${width} ${at(height)}" role="img" aria-labelledby="${id}t ${id}d">` +
  `<title id="${id}t">${escapeMarkup(title)}</title><desc id="${id}d">${escapeMarkup(description)}</desc>${body}</svg>`;

export const label = (x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'middle'): string =>
  `<text x="${at(x)}" y="${at(y)}"${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escapeMarkup(text)}</text>`;

export const rectangle = (kind: string, x: number, y: number, width: number, height: number): string =>
  `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(Math.max(0, width))}" height="${at(Math.max(0, height))}"/>`;

export const stroke = (kind: string, path: string): string => `<path class="${kind}" d="${path}"/>`;

export const horizontal = (kind: string, x: number, y: number, to: number): string => stroke(kind, `M${at(x)} ${at(y)}H${at(to)}`);
export const vertical = (kind: string, x: number, y: number, to: number): string => stroke(kind, `M${at(x)} ${at(y)}V${at(to)}`);

/** Filled circles; squares stand for what is out of bounds, hollow ones for what was not judged, so that no meaning hangs on colour. */
export const mark = (kind: 'dot' | 'alarm' | 'hollow', x: number, y: number, size = 3): string =>
  kind === 'alarm'
    ? rectangle('alarm', x - size, y - size, 2 * size, 2 * size)
    : `<circle class="${kind}" cx="${at(x)}" cy="${at(y)}" r="${size}"/>`;

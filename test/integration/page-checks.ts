/** Programs that run in a page, as text: the types of this project know no document. Each answers JSON. */

/** Elements whose own text stands out too little from what is behind it, and whether the page is dark. */
export const POOR_CONTRAST = `(() => {
  document.querySelectorAll('details').forEach((details) => (details.open = true));
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const part = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  let checked = 0;
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!own || element.closest('title, desc, style')) continue;
    const style = getComputedStyle(element);
    const [text, below] = [luminance(numbers(element.closest('svg') ? style.fill : style.color)), luminance(ground(element))];
    const contrast = (Math.max(text, below) + 0.05) / (Math.min(text, below) + 0.05);
    checked += 1;
    if (contrast < 4.5) found.push(element.tagName + ' ' + element.getAttribute('class') + ' ' + contrast.toFixed(2));
  }
  return { found, checked, dark: ground(document.querySelector('main'))[0] < 128 };
})()`;

/** Where the keyboard's focus is. */
export const FOCUSED = `(() => {
  const at = document.activeElement;
  const what = at.tagName.toLowerCase() + ' ' + (at.getAttribute('aria-label') ?? at.textContent.trim().slice(0, 40));
  const { top } = at.getBoundingClientRect();
  return { what, atEnd: at === document.body, top: Math.round(top + scrollY), outlined: getComputedStyle(at).outlineStyle !== 'none' };
})()`;

export const STRUCTURE = `(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    levels: all('h1, h2, h3, h4').map((heading) => Number(heading.tagName[1])),
    tablesWithoutHeaders: all('table').filter((table) => table.querySelectorAll('th[scope]').length === 0).length,
    deadLinks: all('nav a').filter((link) => document.querySelector(link.getAttribute('href')) === null).length,
    hiddenTables: all('details table').filter((table) => table.getBoundingClientRect().height === 0).length,
    width: document.documentElement.scrollWidth,
    border: all('.card').map((card) => getComputedStyle(card).borderLeftWidth)[0],
  };
})()`;

import type { Frame } from './cpu-profile.ts';

const WIDTH = 1200;
const ROW = 16;
const TITLE = 24;
/** Narrower frames would not be seen: they are left out. Pixels. */
const NARROWEST = 1.5;
/** Width of a letter, about. */
const LETTER = 6.2;
/** With less room than this many letters, a frame has no name on it. */
const FEWEST_LETTERS = 4;

interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly depth: number;
}

/** The frames that can be seen, each with its place: its children stand on it side by side. */
function boxesOf(frame: Frame, x: number, depth: number, scale: number): readonly Box[] {
  if (frame.total * scale < NARROWEST) return [];
  const boxes: Box[] = [{ frame, x, depth }];
  let left = x;
  for (const child of frame.children) {
    boxes.push(...boxesOf(child, left, depth + 1, scale));
    left += child.total * scale;
  }
  return boxes;
}

/** Own code stands out from that of undici, of other packages and of Node. */
function colorOf(name: string): string {
  if (/ (?:edge|routing|activity|platform)\//u.test(name)) return '#f4a261';
  if (name.includes(' undici/')) return '#8ecae6';
  if (name.includes(' node:')) return '#d8e2dc';
  return name.includes(' ') ? '#cdb4db' : '#e9ecef';
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A picture of where the time goes (SVG): the wider a frame, the longer it was running; callers below, callees above. */
export function renderFlameGraph(root: Frame, title: string): string {
  const scale = WIDTH / root.total;
  const boxes = boxesOf(root, 0, 0, scale);
  const rows = Math.max(...boxes.map(({ depth }) => depth)) + 1;
  const height = rows * ROW + TITLE;
  const drawn = boxes.map(({ frame, x, depth }) => {
    const y = height - (depth + 1) * ROW;
    const share = ((frame.total / root.total) * 100).toFixed(1);
    return drawBox(frame.name, share, { x, y, width: frame.total * scale });
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">
<rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="4" y="15" font-size="13">${escaped(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function drawBox(name: string, share: string, { x, y, width }: Place): string {
  const letters = Math.floor(width / LETTER);
  const label =
    letters < FEWEST_LETTERS
      ? ''
      : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(name.slice(0, letters))}</text>`;
  return `<g><title>${escaped(name)} (${share} %)</title><rect x="${x.toFixed(1)}" y="${y}" width="${(width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colorOf(name)}"/>${label}</g>`;
}

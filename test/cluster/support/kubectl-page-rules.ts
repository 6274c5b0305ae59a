/** Something that is printed differently each time. */
interface Rule {
  /** What it is. */
  readonly what: string;
  readonly found: RegExp;
  /** What stands for it on the page. */
  readonly shown: string;
}

const AGE = String.raw`\d+[smhd](?:\d+[smhd])?`;

/** What stands for these on the page looks like the real thing, of a usual width. */
const RULES: readonly Rule[] = [
  // A cell of a table: `Idle Timeout:  15m` is none.
  { what: 'an age', found: new RegExp(`(?<=[^: ] {2,})${AGE}(?= {2,}|$)|^${AGE}(?= {2,})`, 'gmu'), shown: '5m' },
  { what: 'a time', found: /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu, shown: '2026-01-01T12:00:00Z' },
  {
    what: 'a uid',
    found: /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gu,
    shown: '0b5ae0c4-6f1d-4c1e-9d57-2f8a3c7e91b6',
  },
  { what: 'a resource version', found: /(?<=^ *Resource Version: +)\d+/gmu, shown: '4711' },
  { what: 'the hash in the name of a model’s pod', found: /(?<=-)[0-9a-f]{10}(?=-\d+ )/gu, shown: '3f2a9c51b7' },
  {
    what: 'the name of an edge’s pod',
    found: /(?<=\bcorral-edge-)[a-z0-9]+-[a-z0-9]{5}\b/gu,
    shown: '6c888474c7-x2k4j',
  },
  { what: 'how often an edge has reported', found: /(?<=\bcorral-edge-\S+ {2,})\d+(?= {2,})/gu, shown: '7' },
  { what: 'how long a model took to load', found: /(?<=it is ready after )\d+\.\d(?= s)/gu, shown: '4.2' },
  { what: 'the same in a status', found: /(?<=^ *Load Seconds: +)\d+/gmu, shown: '4' },
];

/** What stands only where the page is compared: on the page are the words of the day on which it was captured. */
const NOT_COMPARED: readonly Rule[] = [
  {
    what: 'what a kubelet says of an image that it cannot have',
    found: /\((?:InvalidImageName|ErrImagePull)\): .*?(?=","type"|$)/gmu,
    shown: '(no image)',
  },
  {
    what: 'when a model was last used: its request may have ended before its status says that it is ready, or after that',
    found: /^ *Last Used Time: .*\n/gmu,
    shown: '',
  },
  { what: 'how far a column is from the next one', found: /(?<=\S) {2,}/gu, shown: '  ' },
];

/** Puts what stands for it in the place of a cell, and keeps the next column where it is. */
const replace = (text: string, { found, shown }: Rule): string =>
  text.replaceAll(new RegExp(`(?:${found.source})( {2,})?`, found.flags), (cell: string, gap: string | undefined) =>
    gap === undefined ? shown : `${shown}  `.padEnd(cell.length),
  );

/** What was printed, as it stands on the page. */
export const settle = (printed: string): string =>
  RULES.reduce(replace, `${printed.replaceAll(/[ \t]+$/gmu, '').trimEnd()}\n`);

/** What is compared. */
export const alike = (printed: string): string =>
  NOT_COMPARED.reduce((text, { found, shown }) => text.replaceAll(found, shown), settle(printed));

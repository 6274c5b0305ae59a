const BYTES = 8_000_000;
const MESSAGES = 110_000;

const chat = (content: unknown): object => ({ model: 'a', messages: [{ role: 'user', content }] });

/** A picture in a string of base64: nothing in it is special. */
function picture(): object {
  const bytes = Uint8Array.from({ length: (BYTES * 3) / 4 }, (_, index) => Math.imul(index, 2_654_435_761) >>> 13);
  return chat([
    { type: 'image_url', image_url: { url: `data:image/png;base64,${Buffer.from(bytes).toString('base64')}` } },
  ]);
}

const filled = (line: string): string =>
  line.repeat(Math.ceil(BYTES / Buffer.byteLength(JSON.stringify(line).slice(1, -1))));
const prose = (): object =>
  chat(filled('Der Bär gähnte. It was a quiet afternoon in the village, and nobody spoke…\n'));
const code = (): object => chat(filled('\tif (x == "a\\n") {\n\t\treturn "b\\\\";\n\t}\n'));
const messages = (): object => ({
  model: 'a',
  messages: Array.from({ length: MESSAGES }, (_, index) => ({
    role: 'user',
    content: `message ${index} of many, ${'.'.repeat(16)}`,
  })),
});

/** JSON bodies of 8 MB. What they cost to read differs with what they are made of. */
export const largeBodies: ReadonlyMap<string, Buffer> = new Map(
  Object.entries({ picture, prose, code, messages }).map(([kind, make]) => [kind, Buffer.from(JSON.stringify(make()))]),
);

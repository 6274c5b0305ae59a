/** A request of 1.2 KB, as a chat sends it: some turns, then the model's name among the parameters. */
export function chatBody(model: string): string {
  const turn = (role: string, content: string): object => ({ role, content });
  return JSON.stringify({
    messages: [
      turn(
        'system',
        'You are a helpful assistant. Answer in short, plain sentences, and say so where you do not know.',
      ),
      turn(
        'user',
        'What is the difference between a process and a thread? "Threads" are what our service uses.\n'.repeat(3),
      ),
      turn('assistant', 'A process has memory of its own; threads of one process share it. '.repeat(8)),
      turn('user', 'And which one is cheaper to start?\nPlease give numbers for Linux, with their source.'),
    ],
    model,
    temperature: 0.7,
    max_tokens: 256,
    stream: false,
  });
}

/** A request that the stub for events answers with this many, `pause` ms apart. */
export const eventsBody = (model: string, events: number, pause: number, open = false): string =>
  JSON.stringify({ messages: [{ role: 'user', content: 'Tell a story.' }], model, stream: true, events, pause, open });

const LARGE = 8_000_000;

/** `text` again and again, up to about 8 MB. */
const fill = (text: string): string => text.repeat(Math.ceil(LARGE / text.length));

const PROSE = 'The quick brown fox — “jumps” over the lazy dog, again and again; größer wird er davon nicht. ';
const CODE = 'if (a["b"] === "\\n") {\n\treturn `c:\\\\d` + "\\u00e9";\n}\n';
const SMALL_MESSAGES = 110_000;

const asked = (content: unknown, model: string): string =>
  JSON.stringify({ messages: [{ role: 'user', content }], model, stream: false });

/** Requests of about 8 MB that a scan for `model` finds hard in different ways, by what is in them. */
export const largeBodies = (model: string): ReadonlyMap<string, string> =>
  new Map([
    [
      'an image in base64',
      asked(
        [{ type: 'image_url', image_url: { url: `data:image/png;base64,${fill('iVBORw0KGgoAAAANSUhEUgAA')}` } }],
        model,
      ),
    ],
    ['prose', asked(fill(PROSE), model)],
    ['code full of escapes', asked(fill(CODE).slice(0, LARGE * 0.79), model)],
    ['110,000 small messages', smallMessages(model)],
  ]);

function smallMessages(model: string): string {
  const messages = Array.from({ length: SMALL_MESSAGES }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `message ${index}, small as all the others are`,
  }));
  return JSON.stringify({ messages, model, stream: false });
}

import { assertNever } from '../../domain/assert-never.ts';
import { pathText, type ApiFamily, type Endpoint, type Handling, type PathPattern } from '../endpoints.ts';
import { headersOf } from './headers.ts';
import { MODEL_NAME, refTo, type Schema } from './schemas.ts';

/** One operation of the document: a method at a path. `errors`: its answers that are errors, by status. */
export function operationOf(endpoint: Endpoint, path: string | PathPattern, errors: object): object {
  const { method, api, summary, operation, closed } = endpoint;
  return {
    operationId: idOf(method, pathText(path)),
    tags: [api],
    summary,
    ...(operation === 'public' ? { security: [] } : {}),
    ...parametersOf(endpoint, path),
    ...bodyOf(endpoint),
    responses: { 200: answerOf(endpoint), ...errors },
    'x-corral-operation': operation,
    ...(closed === undefined ? {} : { 'x-corral-open-endpoint': closed }),
  };
}

/** For instance `postV1ChatCompletions`. */
const idOf = (method: string, path: string): string =>
  [method.toLowerCase(), ...(path.match(/[a-z]+|\d+/gu) ?? []).map(capitalised)].join('');

const capitalised = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);

function parametersOf({ model, handling, closed }: Endpoint, path: string | PathPattern): object {
  const parameters = [
    ...(typeof path === 'string'
      ? []
      : [parameter('path', path.parameter, path.parameter === 'model' ? MODEL_NAME : SLOT)]),
    ...(model === 'query' ? [parameter('query', 'model', MODEL_NAME)] : []),
    ...(handling === 'list-models' ? [RELOAD] : []),
    ...(isOrder(handling) ? [WAIT] : []),
    ...(closed === 'slots-save' ? [parameter('query', 'action', { enum: ['save', 'restore', 'erase'] })] : []),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

const parameter = (place: 'path' | 'query', name: string, schema: Schema): object => ({
  name,
  in: place,
  required: true,
  schema,
});

const SLOT: Schema = { type: 'integer', minimum: 0, maximum: 9999 };

const isOrder = (handling: Handling): boolean => handling === 'load-model' || handling === 'unload-model';

const WAIT = {
  name: 'wait',
  in: 'query',
  required: false,
  description:
    "`true`: answer when it is done, whoever has done it, or with an error after the model's `maxWait`. The order stands then, and if the client leaves.",
  schema: { enum: ['true', 'false'], default: 'false' },
};

const RELOAD = {
  name: 'reload',
  in: 'query',
  required: false,
  description: 'Anything but the empty text: read the declarations again first. A key needs `models:manage` for it.',
  schema: { type: 'string' },
};

function bodyOf(endpoint: Endpoint): object {
  const { method, model } = endpoint;
  if (method === 'GET') return {};
  const content =
    model === 'multipart'
      ? { 'multipart/form-data': { schema: formOf(endpoint) } }
      : { 'application/json': { schema: model === 'query' ? true : jsonOf(endpoint) } };
  // Erasing a slot takes none.
  return { requestBody: { required: model !== 'query', content } };
}

const STREAM = { stream: { type: 'boolean', default: false, description: 'Answer as an event stream.' } };

const jsonOf = ({ handling, canStream }: Endpoint): Schema => ({
  type: 'object',
  required: ['model'],
  properties: { model: MODEL_NAME, ...(canStream ? STREAM : {}) },
  ...(handling === 'forward' ? { description: 'All other fields go to the model unchanged.' } : {}),
});

const formOf = ({ canStream }: Endpoint): Schema => ({
  type: 'object',
  required: ['model', 'file'],
  properties: {
    model: MODEL_NAME,
    file: { description: 'The recording.', contentMediaType: 'application/octet-stream' },
    ...(canStream ? STREAM : {}),
  },
});

function answerOf(endpoint: Endpoint): object {
  const { handling, canStream, api } = endpoint;
  return {
    description: handling === 'forward' || handling === 'look' ? "The model's answer, as it is" : 'Done',
    headers: headersOf(200, handling),
    content: {
      ...answered(handling, endpoint),
      ...(canStream ? { 'text/event-stream': { schema: streamOf(api) } } : {}),
    },
  };
}

function answered(handling: Handling, { closed }: Endpoint): object {
  switch (handling) {
    case 'health':
      return json(refTo('Health'));
    case 'list-models':
      return json(refTo('ModelList'));
    case 'show-model':
      return json(refTo('Model'));
    case 'plan':
      return json(refTo('Plan'));
    case 'load-model':
    case 'unload-model':
      return json(refTo('Done'));
    case 'look':
      return closed === 'metrics' ? { 'text/plain': { schema: { type: 'string' } } } : json(true);
    case 'forward':
      return json(true);
    default:
      return assertNever(handling);
  }
}

const json = (schema: Schema | true): object => ({ 'application/json': { schema } });

/** What a stream is, and what Corral adds to it. */
const streamOf = (api: ApiFamily): Schema => ({
  type: 'string',
  description: [
    'Server-sent events.',
    `While the model is loaded, signs of life come, as ${api === 'anthropic' ? '`ping` events' : 'comments'}.`,
    'An answer that breaks ends with an error event, and never regularly.',
  ].join(' '),
});

import type Type from 'typebox';
import { suggest } from '../../api/nearest.ts';
import { parseDuration } from '../../api/duration-text.ts';
import type { YamlDocument } from '../../api/read-yaml.ts';
import type { Duration } from '../../domain/units.ts';
import type { Lengths, Recipe, SessionRecipe, ZipfRecipe } from '../traces/recipe.ts';
import type { ModelTable } from '../traces/table-model.ts';
import { checkDocument, readOneDocument, type Checked } from './checked-yaml.ts';
import { RECIPE_SCHEMAS, RecipeHeadSchema } from './recipe-schema.ts';

type Schemas = typeof RECIPE_SCHEMAS;
type Written<Name extends keyof Schemas> = Type.Static<Schemas[Name]>;

/** Reads how a trace is made, for the models of a table. */
export function readRecipe(text: string, file: string, table: ModelTable): Checked<Recipe> {
  const document = readOneDocument(text, file);
  if (!document.ok) return document;
  const recipe = decode(document.value);
  if (!recipe.ok) return recipe;
  const reason = findTableFault(recipe.value, table);
  if (reason === undefined) return recipe;
  return { ok: false, problems: [{ ...document.value.siteOfValue([reason.field]), ...reason }] };
}

function decode(document: YamlDocument): Checked<Recipe> {
  const head = checkDocument(document, RecipeHeadSchema);
  if (!head.ok) return head;
  switch (head.value.generator) {
    case 'zipf':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS.zipf), (written) => ({
        ...commonOf(written),
        ...tokensOf(written),
        generator: 'zipf',
      }));
    case 'bursts':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS.bursts), (written) => ({
        ...commonOf(written),
        ...tokensOf(written),
        generator: 'bursts',
        burst: written.burst,
        gap: checkedDuration(written.gap),
      }));
    case 'day-night':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS['day-night']), (written) => ({
        ...commonOf(written),
        ...tokensOf(written),
        generator: 'day-night',
        zones: written.zones,
        depth: written.depth,
      }));
    case 'ping-pong':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS['ping-pong']), (written) => ({
        ...commonOf(written),
        ...tokensOf(written),
        generator: 'ping-pong',
        steps: written.steps,
        pause: checkedDuration(written.pause),
      }));
    case 'chat-titles':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS['chat-titles']), (written) => ({
        ...commonOf(written),
        ...tokensOf(written),
        generator: 'chat-titles',
        titleModel: written.titleModel,
        turns: written.turns,
        pause: checkedDuration(written.pause),
      }));
    case 'azure':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS.azure), (written) => ({
        ...commonOf(written),
        ...sessionsOf(written),
        generator: 'azure',
        service: written.service,
      }));
    case 'burstgpt':
      return mapChecked(checkDocument(document, RECIPE_SCHEMAS.burstgpt), (written) => ({
        ...commonOf(written),
        ...sessionsOf(written),
        generator: 'burstgpt',
      }));
  }
}

const mapChecked = <A>(checked: Checked<A>, decodeValue: (value: A) => Recipe): Checked<Recipe> =>
  checked.ok ? { ok: true, value: decodeValue(checked.value) } : checked;

type CommonWritten = Pick<Written<'zipf'>, 'seed' | 'requests' | 'rate' | 'zipf'>;

const commonOf = ({ seed, requests, rate, zipf = 1 }: CommonWritten): Omit<ZipfRecipe, 'generator' | keyof Tokens> => ({
  seed,
  requests,
  rate,
  zipf,
});

const sessionsOf = ({
  turns,
  pause,
}: Pick<Written<'burstgpt'>, 'turns' | 'pause'>): Pick<SessionRecipe, 'turns' | 'pause'> => ({
  turns,
  pause: checkedDuration(pause),
});

interface Tokens {
  readonly prompt: Lengths;
  readonly output: Lengths;
}

const tokensOf = ({ prompt, output }: Pick<Written<'zipf'>, 'prompt' | 'output'>): Tokens => ({
  prompt: { sigma: 1, ...prompt },
  output: { sigma: 1, ...output },
});

function checkedDuration(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === undefined) throw new Error(`${text} has been checked to be a duration`);
  return duration;
}

/** What this table lacks for a recipe. */
function findTableFault(
  recipe: Recipe,
  { models }: ModelTable,
): { field: string; reason: string; fix?: string } | undefined {
  if (recipe.generator === 'chat-titles') {
    const names = models.map(({ name }) => name);
    const { titleModel } = recipe;
    if (!names.includes(titleModel)) {
      const reason = `there is no model ${titleModel} in the table of models`;
      return { field: 'titleModel', reason, ...suggest(titleModel, names) };
    }
  }
  const needsTwo = recipe.generator === 'chat-titles' || recipe.generator === 'ping-pong';
  if (!needsTwo || models.length > 1) return undefined;
  return { field: 'generator', reason: `${recipe.generator} needs two models at least, and the table has one` };
}

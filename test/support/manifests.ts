/** A ModelPool named `default` as a YAML document. */
export const pool = ({
  maxLoaded,
  fairAfter,
}: {
  readonly maxLoaded: number;
  readonly fairAfter: string;
}): string => `---
apiVersion: corral.dev/v1alpha1
kind: ModelPool
metadata: { name: default }
spec:
  capacity: { maxLoaded: ${maxLoaded} }
  eviction: { fairAfter: ${fairAfter} }
`;

/** A ModelDeployment as a YAML document: paths of models by the names of their presets. */
export const deployment = (name: string, presets: Readonly<Record<string, string>>): string => `---
apiVersion: corral.dev/v1alpha1
kind: ModelDeployment
metadata: { name: ${name} }
spec:
  presets:
${Object.entries(presets)
  .map(([preset, path]) => `    - { name: ${preset}, source: { path: ${JSON.stringify(path)} } }\n`)
  .join('')}`;

import Type from 'typebox';
import { dnsLabel, dnsName, labels } from './common-schemas.ts';
import { ANNOTATION_KEY_RULE, LABEL_KEY_RULE } from './manifest-rules.ts';
import { mapOf, object } from './schema-kit.ts';

/** What an API server writes there: accepted, so that an exported object can be read back, and never looked at. */
const written = Type.Optional(Type.Unknown({ description: 'Written by the API server.' }));

/** The metadata of a manifest. A CRD does not describe it: every API server knows it. */
export const MetadataSchema = object('Its name.', {
  name: dnsName('a DNS name', 'The name of the object.'),
  namespace: Type.Optional(dnsLabel('a DNS label', 'The namespace of the object.')),
  labels: Type.Optional(labels('Labels of the object.', { rules: [LABEL_KEY_RULE], maxProperties: 1000 })),
  annotations: Type.Optional(
    mapOf('a map of texts', 'Annotations of the object.', Type.String({ title: 'a text' }), {
      rules: [ANNOTATION_KEY_RULE],
      maxProperties: 1000,
    }),
  ),
  finalizers: written,
  ownerReferences: written,
  uid: written,
  resourceVersion: written,
  generation: written,
  creationTimestamp: written,
  managedFields: written,
});

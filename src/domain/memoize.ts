/** `make`, called once for each object and remembered as long as that lives. Objects must not change. */
export function memoize<Key extends object, Made>(make: (key: Key) => Made): (key: Key) => Made {
  const made = new WeakMap<Key, { readonly value: Made }>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    made.set(key, { value });
    return value;
  };
}

/** The same for what is made of an object and something else: for each object, what was made with the last `other` is remembered. */
export function memoizeWith<Key extends object, Other, Made>(
  make: (key: Key, other: Other) => Made,
): (key: Key, other: Other) => Made {
  const made = new WeakMap<Key, { readonly other: Other; readonly value: Made }>();
  return (key, other) => {
    const known = made.get(key);
    if (known !== undefined && Object.is(known.other, other)) return known.value;
    const value = make(key, other);
    made.set(key, { other, value });
    return value;
  };
}

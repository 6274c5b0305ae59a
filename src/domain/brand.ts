declare const brand: unique symbol;

/** A `T` that only the functions of its own module can make, so that two ids or units cannot be mixed up. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

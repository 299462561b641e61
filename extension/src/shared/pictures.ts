/** Pictures that were chosen, pasted or captured, until the server has them: an IndexedDB of the
 * extension's own, since messages hold text only and storage.session is small. */

const STORE = "pictures";

async function opened(): Promise<IDBDatabase> {
  const opening = indexedDB.open("unmask", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return settled(opening);
}

async function inStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await opened();
  try {
    return await settled(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export async function putPicture(id: string, picture: Blob): Promise<void> {
  await inStore("readwrite", (store) => store.put(picture, id));
}

export async function getPicture(id: string): Promise<Blob | null> {
  const picture: unknown = await inStore("readonly", (store) => store.get(id) as IDBRequest<unknown>);
  return picture instanceof Blob ? picture : null;
}

export async function dropPicture(id: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(id));
}

/** Removes what no job asks for any more. */
export async function keepOnly(ids: ReadonlySet<string>): Promise<void> {
  const keys = await inStore("readonly", (store) => store.getAllKeys());
  await Promise.all(keys.map(String).filter((key) => !ids.has(key)).map(dropPicture));
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => { resolve(request.result); };
    request.onerror = () => { reject(request.error ?? new Error("the database failed")); };
  });
}

/** Reading the engine's history as the person who is signed in. Nothing here changes anything. */
import config from '../config.js';

const MOST = 2000; // the engine refuses larger pages

/** The mark against forged posts, as the cookie holds it now: a new session brings a new one. */
function mark() {
  const head = `${config.csrfCookieName}=`;
  const found = document.cookie.split('; ').find((cookie) => cookie.startsWith(head));
  return found ? decodeURIComponent(found.slice(head.length)) : '';
}

export class Rest {
  constructor(api) {
    this.base = api.engineApi;
  }

  /** Address of bytes, for a link. */
  href(path) {
    return this.base + path;
  }

  async get(path, parameters = {}) {
    const query = new URLSearchParams(parameters).toString();
    return this.read(path + (query ? '?' + query : ''), {});
  }

  /** A search: the engine takes long conditions only in a body. */
  async search(path, condition, parameters = {}) {
    const query = new URLSearchParams(parameters).toString();
    return this.read(path + (query ? '?' + query : ''), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-XSRF-TOKEN': mark() },
      body: JSON.stringify(condition),
    });
  }

  /** All rows of a list, page by page. */
  async all(path, parameters) {
    const rows = [];
    for (;;) {
      const part = await this.get(path, { ...parameters, firstResult: rows.length, maxResults: MOST });
      rows.push(...part);
      if (part.length < MOST) return rows;
    }
  }

  /** Names of persons in an order's history, by their ids. */
  async people(order, ids) {
    const query = new URLSearchParams([['order', order], ...ids.map((id) => ['id', id])]);
    return this.read(`/app/cockpit/default/people?${query}`, {}, document.querySelector('base').getAttribute('app-root'));
  }

  async read(path, options, base = this.base) {
    const headers = { Accept: 'application/json', ...options.headers };
    const ask = () => fetch(base + path, { credentials: 'same-origin', ...options, headers });
    // A read may be repeated: a line that was cut meanwhile is no news for the reader.
    const answer = await ask().catch(() => new Promise((wait) => setTimeout(wait, 1000)).then(ask)).catch(() => {
      throw new Error('Нет связи с сервером. Проверьте сеть и обновите страницу.');
    });
    if (answer.ok) return answer.json();
    if (answer.status === 401) throw new Error('Вход закончился. Войдите снова и откройте страницу ещё раз.');
    if (answer.status === 403) throw new Error('На это у вас нет права.');
    if (answer.status === 404) throw new Error('Такого заказа в журнале нет.');
    throw new Error(`Сервер ответил ошибкой ${answer.status}. Обновите страницу.`);
  }
}

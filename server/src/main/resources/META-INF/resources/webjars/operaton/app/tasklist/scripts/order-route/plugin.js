/** What the Tasklist lacks: counts beside every list, a word about a session that ended, the way to a step on a phone, our
 * style. Reads only. */
const root = document.querySelector('base').getAttribute('app-root');
const ENGINE = root + '/api/engine/engine/default';
const COUNT_AGAIN = 30000; // milliseconds: how old a count may be
const ENDED = 'Вход закончился. Войдите снова: набранный текст сохранён, файлы надо будет выбрать ещё раз.';

const style = document.createElement('link');
style.rel = 'stylesheet';
style.href = new URL('./tasklist.css', import.meta.url).href;
document.head.append(style);

// --- a session that ended ---
let worked = false; // an answer that only somebody who is signed in gets
let ended = false;
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, url, ...more) {
  if (String(url).includes('/api/engine/engine/default/')) {
    this.addEventListener('load', () => {
      if (this.status === 401) ended = worked;
      else if (this.status < 400) { worked = true; ended = false; }
      sayEnded();
    });
  }
  return open.call(this, method, url, ...more);
};

function sayEnded() {
  const form = document.querySelector('form[name="signinForm"]');
  if (!form || !ended || document.getElementById('session-ended')) return;
  const notice = document.createElement('p');
  notice.id = 'session-ended';
  notice.className = 'alert alert-info';
  notice.setAttribute('role', 'alert');
  notice.textContent = ENDED;
  form.prepend(notice);
}

// --- counts of all lists: the page itself counts only the one that is open ---
const counts = new Map(); // name of the list -> number
let counted = 0;
let counting = false;

async function read(path) {
  const answer = await fetch(ENGINE + path, { credentials: 'same-origin', headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function count() {
  if (counting || Date.now() - counted < COUNT_AGAIN || !document.querySelector('.task-filter')) return;
  counting = true;
  try {
    for (const list of await read('/filter?resourceType=Task&itemCount=false&maxResults=200')) {
      counts.set(list.name, (await read(`/filter/${encodeURIComponent(list.id)}/count`)).count);
    }
    counted = Date.now();
  } catch {
    counted = Date.now(); // the page itself says what is wrong with the line or the session
  } finally {
    counting = false;
  }
  showCounts();
}

function showCounts() {
  for (const link of document.querySelectorAll('.task-filter h4.name > a')) {
    const name = link.firstChild.textContent.trim();
    const stock = link.querySelector('.counter');
    let shown = link.querySelector('.list-count');
    if (!shown) {
      shown = document.createElement('span');
      shown.className = 'list-count';
      link.append(shown);
    }
    const fresh = link.closest('.task-filter').classList.contains('active') && stock && stock.textContent.trim();
    const number = fresh ? stock.textContent.trim() : counts.get(name);
    const text = number === undefined ? '' : ` (${number})`;
    if (shown.textContent !== text) shown.textContent = text;
  }
}

// --- on a phone a step stands below all lists: who picks one is taken there ---
const PHONE = window.matchMedia('(max-width: 767px)');
let followed = ''; // the step that was gone to last

function follow() {
  const step = new URLSearchParams(window.location.hash.split('?')[1] || '').get('task') || '';
  const card = document.querySelector('.task-card');
  if (step === followed || (step && !card)) return;
  followed = step;
  if (step && PHONE.matches) card.scrollIntoView();
}

new MutationObserver(() => { sayEnded(); showCounts(); count(); follow(); }).observe(document.body, { childList: true, subtree: true });
window.addEventListener('hashchange', count);
setInterval(count, COUNT_AGAIN);

export default [];

// The step page's help: keeps what is typed, sends with progress, says a refusal in place. Without it the form submits.
'use strict';
(function () {
  document.documentElement.classList.add('js');
  const $ = function (id) { return document.getElementById(id); };

  // A sign-in link carries its secret behind the #: nothing is sent before the person presses the button.
  const secret = location.hash.indexOf('#in=') === 0 ? location.hash.slice(4) : '';
  if ($('enter') && secret) {
    $('token').value = '#in=' + secret;
    $('enter').hidden = false;
    $('ask').hidden = true;
    if ($('said')) $('said').hidden = true;
    history.replaceState(null, '', location.pathname);
  }
  const done = document.querySelector('[data-done]');
  if (done) localStorage.removeItem('step:' + done.dataset.done);

  const form = $('answer');
  if (!form) return;
  form.querySelectorAll('input[type=date]').forEach(plainDay);
  const key = 'step:' + form.dataset.visit, said = $('said');
  const typed = Array.from(form.querySelectorAll('input[name]:not([type=file]):not([type=hidden]), textarea, select'));
  function save() {
    const draft = {};
    typed.forEach(function (each) { draft[each.name] = each.value; });
    try { localStorage.setItem(key, JSON.stringify(draft)); } catch (e) { /* a full or forbidden store: the page still works */ }
  }
  try {
    const draft = JSON.parse(localStorage.getItem(key) || '{}');
    typed.forEach(function (each) { if (typeof draft[each.name] === 'string') each.value = draft[each.name]; });
  } catch (e) { /* an unreadable draft is no draft */ }
  form.addEventListener('input', save);
  form.addEventListener('change', save);

  // A browser's own boxes write dates and times in the browser's language: only its calendar is used.
  function dayOf(text) {
    const p = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text.trim());
    return p ? [p[3], p[2].padStart(2, '0'), p[1].padStart(2, '0')].join('-') : text.trim();
  }
  function russian(iso) { return iso.split('-').reverse().join('.'); }
  function plainDay(box) {
    const own = box.cloneNode(), open = document.createElement('button'), row = document.createElement('div');
    const time = box.parentNode.querySelector('input[type=time]'), workday = JSON.parse(form.dataset.workday);
    box.type = 'text';
    Object.assign(box, {value: russian(box.defaultValue), inputMode: 'numeric', placeholder: 'дд.мм.гггг', maxLength: 10, autocomplete: 'off'});
    ['id', 'name'].forEach(function (name) { own.removeAttribute(name); });
    own.tabIndex = -1;
    own.setAttribute('aria-hidden', 'true');
    Object.assign(open, {type: 'button', textContent: '▾'});
    open.setAttribute('aria-label', form.querySelector('label[for="' + box.id + '"]').firstChild.textContent.trim() + ': календарь');
    row.className = 'day';
    box.replaceWith(row);
    row.append(box, open, own);
    if (time) Object.assign(time, {type: 'text', inputMode: 'numeric', maxLength: 5, autocomplete: 'off'});
    function follow() {   // short days close earlier; a time of one's own stays
      const on = dayOf(box.value);
      if (time && 'closing' in time.dataset && [time.defaultValue, time.dataset.offered].includes(time.value) && /^\d{4}-/.test(on)) {
        time.value = time.dataset.offered = workday.other[on] || workday.ends;
      }
    }
    box.addEventListener('input', follow);
    box.addEventListener('change', function () { box.value = russian(dayOf(box.value)); });
    open.addEventListener('click', function () { own.value = dayOf(box.value); own.showPicker(); });
    own.addEventListener('change', function () { if (own.value) { box.value = russian(own.value); follow(); save(); } });
  }

  function size(bytes) {
    return bytes < 1048576 ? Math.max(1, Math.round(bytes / 1024)) + ' КБ' : (bytes / 1048576).toFixed(1).replace('.', ',') + ' МБ';
  }
  function say(text) {
    said.textContent = text;
    said.hidden = !text;
    form.querySelectorAll('.field').forEach(function (field) {
      const box = field.querySelector('input, select, textarea');
      const label = box && field.querySelector('label').firstChild.textContent.trim();
      field.classList.toggle('bad', !!text && !!label && text.indexOf('«' + label + '»') >= 0);
    });
    if (text) said.scrollIntoView({block: 'center'});
  }
  const files = Array.from(form.querySelectorAll('input[type=file]'));
  files.forEach(function (input) {
    const about = input.parentNode.querySelector('.chosen'), hint = about.textContent;
    input.addEventListener('change', function () {
      const chosen = Array.from(input.files), large = chosen.find(function (f) { return f.size > Number(input.dataset.largest); });
      about.textContent = chosen.map(function (f) { return f.name + ', ' + size(f.size); }).join(' · ') || hint;
      const all = files.reduce(function (sum, each) { return Array.from(each.files).reduce(function (n, f) { return n + f.size; }, sum); }, 0);
      if (large) say('Файл «' + large.name + '» больше 20 МБ: уменьшите или разделите его и выберите снова.');
      else if (all > 60 * 1048576) say('Файлы вместе больше 60 МБ: выберите меньше.');
      else { say(''); return; }
      input.value = '';
      about.textContent = hint;
    });
  });

  let pressed = null;
  form.querySelectorAll('.buttons button').forEach(function (button) {
    button.addEventListener('click', function () { pressed = button; });
  });
  function busy(on) {
    form.querySelectorAll('.buttons button').forEach(function (each) { each.disabled = on; });
    $('progress').hidden = !on;
  }
  form.addEventListener('submit', function (event) {
    event.preventDefault();
    const data = new FormData(form), button = event.submitter || pressed || form.querySelector('.buttons button');
    if (button.name) data.append(button.name, button.value);
    const call = new XMLHttpRequest(), bar = document.querySelector('progress');
    call.open('POST', form.action);
    call.setRequestHeader('Accept', 'application/json');
    call.upload.onprogress = function (e) {
      const part = e.lengthComputable ? Math.round(100 * e.loaded / e.total) : 0;
      bar.value = part;
      $('cancel').hidden = part >= 100;
      $('percent').textContent = part < 100 ? 'Отправлено ' + part + ' %' : 'Файлы проверяются…';
    };
    call.onload = function () {
      busy(false);
      let answer = {};
      try { answer = JSON.parse(call.responseText); } catch (e) { /* a proxy's page */ }
      if (answer.to) { localStorage.removeItem(key); location.assign(answer.to); return; }
      if (call.status === 409) { localStorage.removeItem(key); location.reload(); return; }
      if (call.status === 401) { save(); $('again').hidden = false; }
      say(answer.text || (call.status === 413 ? 'Файлы слишком большие: вместе можно до 60 МБ.' : 'Ответ не принят, он остался на странице: нажмите ещё раз.'));
    };
    call.onerror = function () { busy(false); say('Связь прервалась. Написанное осталось на странице: нажмите ещё раз.'); };
    call.onabort = function () { busy(false); say('Отправка отменена, ничего не передано.'); };
    $('cancel').onclick = function () { call.abort(); };
    say('');
    $('again').hidden = true;
    $('cancel').hidden = false;
    busy(true);
    $('percent').textContent = '';
    bar.value = 0;
    call.send(data);
  });
})();

// What a page shows, told in order: text a person would see, and numbered elements that can be worked with. It runs in a world of its own
// beside the page's scripts (CDP, isolated world): they share the document and nothing else. It changes nothing.
(() => {
  if (globalThis.bailey) return;

  const MAX_NODES = 60000; // looked at for one view
  const MAX_NAME = 200, MAX_VALUE = 500, MAX_TARGET = 1000, MAX_TEXT = 1000; // characters
  const MAX_OPTIONS = 30, MAX_OPTION = 60;
  const MAX_BYTES = 24 * 1024; // of one view
  const WORKED_WITH = new Set(['button', 'link', 'checkbox', 'radio', 'switch', 'tab', 'menuitem', 'menuitemcheckbox',
    'menuitemradio', 'option', 'combobox', 'listbox', 'textbox', 'searchbox', 'spinbutton', 'slider', 'treeitem', 'DisclosureTriangle']);
  const TYPED = new Set(['text', 'search', 'url', 'tel', 'email', 'password', 'number', '']);
  const SKIPPED = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'HEAD', 'META', 'LINK', 'DATALIST']);

  const numbers = new WeakMap(), elements = new Map();
  let last = 0;

  // Signs of fonts that draw icons say nothing.
  const cut = (text, most) => {
    const flat = String(text ?? '').slice(0, most * 4).replace(/[\ue000-\uf8ff]/g, '').replace(/\s+/g, ' ').trim();
    return (flat.length > most ? flat.slice(0, most - 1) + '…' : flat).toWellFormed();
  };

  const nameOf = (element) => cut(element.computedName, MAX_NAME) || cut(element.title || element.querySelector('[title]')?.title
    || element.querySelector('[alt]')?.alt || element.getAttribute('placeholder') || element.textContent, MAX_NAME);

  const isPassword = (element) => element instanceof HTMLInputElement && element.type === 'password';

  const roleOf = (element) => {
    if (element instanceof HTMLInputElement) {
      const typed = { file: 'file', password: 'password', color: 'color', date: 'date', time: 'time', month: 'month',
        week: 'week', 'datetime-local': 'date and time' }[element.type];
      if (typed) return typed;
    }
    const role = element.computedRole || element.getAttribute('role') || '';
    if (WORKED_WITH.has(role)) return role === 'DisclosureTriangle' ? 'button' : role;
    if (element instanceof HTMLAnchorElement && element.hasAttribute('href')) return 'link';
    if (element instanceof HTMLButtonElement) return 'button';
    if (element instanceof HTMLSelectElement) return element.multiple ? 'listbox' : 'combobox';
    if (element instanceof HTMLTextAreaElement) return 'textbox';
    if (element instanceof HTMLInputElement && element.type !== 'hidden') return TYPED.has(element.type) ? 'textbox' : 'button';
    if (element.tagName === 'SUMMARY') return 'button';
    if (element.isContentEditable && !element.parentElement?.isContentEditable) return 'textbox';
    if (element.tagName === 'IFRAME') return 'frame';
    return '';
  };

  const isSeen = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    return box.right + scrollX > 0 && box.bottom + scrollY > 0 || box.width === 0 || box.height === 0;
  };

  const isDrawnAnew = (element) => element instanceof HTMLInputElement && (element.type === 'file'
    || ['checkbox', 'radio'].includes(element.type) && [...element.labels].some(isSeen));

  // Pages make buttons of anything: what has a hand over it, where what is around it has none, and holds nothing else to work with.
  const isClickable = (element, style, around) => style.cursor === 'pointer' && around !== 'pointer'
    && !element.control && !element.querySelector('a[href], button, input, select, textarea, summary');

  const valueOf = (element) => {
    if (isPassword(element)) return element.value ? '(filled in)' : '';
    if (element instanceof HTMLSelectElement) return cut([...element.selectedOptions].map((one) => one.label).join(', '), MAX_VALUE);
    if (element instanceof HTMLInputElement && element.type === 'file') return cut([...element.files].map((one) => one.name).join(', '), MAX_VALUE);
    if (element instanceof HTMLInputElement && ['checkbox', 'radio', 'submit', 'button', 'reset', 'image'].includes(element.type)) return '';
    if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return cut(element.value, MAX_VALUE);
    return element.isContentEditable ? cut(element.innerText, MAX_VALUE) : '';
  };

  const statesOf = (element) => {
    const states = [], said = (name) => element.getAttribute(`aria-${name}`);
    if (element.checked || said('checked') === 'true' || said('pressed') === 'true') states.push('checked');
    if (element.disabled || said('disabled') === 'true') states.push('disabled');
    if (element.required || said('required') === 'true') states.push('required');
    if (element.readOnly || said('readonly') === 'true') states.push('read_only');
    if (said('expanded') === 'true' || element.parentElement?.open && element.tagName === 'SUMMARY') states.push('expanded');
    if (said('selected') === 'true' || said('current') && said('current') !== 'false') states.push('selected');
    if (said('invalid') === 'true' || element.validity && !element.validity.valid && element.value) states.push('invalid');
    if (element === element.getRootNode().activeElement && element !== document.body) states.push('focused');
    return states;
  };

  const targetOf = (element) => {
    if (element instanceof HTMLAnchorElement && /^https?:$/.test(element.protocol)) return cut(element.href, MAX_TARGET);
    return element.tagName === 'IFRAME' && /^https?:/.test(element.src) ? cut(element.src, MAX_TARGET) : '';
  };

  const numberOf = (element) => {
    let number = numbers.get(element);
    if (!number) {
      number = ++last;
      numbers.set(element, number);
    }
    elements.set(number, new WeakRef(element));
    return number;
  };

  const told = (element, role) => ({
    element: {
      number: numberOf(element), role, name: nameOf(element), value: valueOf(element), target: targetOf(element), states: statesOf(element),
      options: element instanceof HTMLSelectElement
        ? [...element.options].slice(0, MAX_OPTIONS).map((one) => cut(one.label, MAX_OPTION)) : [],
    },
  });

  // Tells what is seen from the item `from` on; numbers begin behind `after`, so that none of an earlier page is used again.
  const view = (from, after) => {
    last = Math.max(last, after);
    const items = [], encoder = new TextEncoder();
    let count = 0, bytes = 0, nodes = 0, line = '', more = false;

    const put = (item) => {
      if (count++ < from) return;
      bytes += encoder.encode(JSON.stringify(item)).length;
      if (bytes > MAX_BYTES && items.length) more = true;
      else items.push(item);
    };
    const flush = () => {
      const text = cut(line, MAX_TEXT * 100);
      line = '';
      if (text === '-') return;
      for (let at = 0; at < text.length && !more; at += MAX_TEXT) put({ text: text.slice(at, at + MAX_TEXT).toWellFormed() });
    };
    const isBlock = (style) => !/^(inline|contents|ruby)/.test(style.display);

    const walk = (node, around, hidden) => {
      if (more) return;
      if (++nodes > MAX_NODES) {
        more = true;
        return;
      }
      if (node.nodeType === Node.TEXT_NODE) {
        if (!hidden && line.length < MAX_TEXT * 100) line += node.data.slice(0, MAX_TEXT * 100);
        return;
      }
      if (node.nodeType !== Node.ELEMENT_NODE || SKIPPED.has(node.tagName)) return;
      const style = getComputedStyle(node);
      if (style.display !== 'contents' && !isSeen(node)) {
        // What is hidden can hold what is not. Fields that are drawn anew by their page are hidden, and worked with all the same.
        if (isDrawnAnew(node) && !node.disabled) {
          flush();
          put(told(node, roleOf(node)));
        } else if (style.display !== 'none' && style.visibility !== 'visible') children(node, style, true);
        return;
      }
      const role = roleOf(node);
      if (role || isClickable(node, style, around)) {
        flush();
        put(told(node, role || 'clickable'));
        return;
      }
      if (node.tagName === 'BR') return void (line += ' ');
      if (node.tagName === 'IMG') return void (node.alt && (line += ` (picture: ${cut(node.alt, MAX_NAME)}) `));
      if (node.tagName === 'TD' || node.tagName === 'TH') {
        if (node.previousElementSibling) line += ' | ';
        return children(node, style);
      }
      const block = isBlock(style);
      if (block) flush();
      const heading = /^H([1-6])$/.exec(node.tagName)?.[1] ?? (node.getAttribute('role') === 'heading' ? node.ariaLevel || '2' : '');
      if (heading) line += '#'.repeat(Math.min(6, Number(heading) || 2)) + ' ';
      if (node.tagName === 'LI') line += '- ';
      children(node, style);
      if (block) flush();
    };
    const children = (node, style, hidden = false) => {
      const inside = node.shadowRoot ?? node;
      const assigned = node.tagName === 'SLOT' ? node.assignedNodes() : [];
      for (const child of assigned.length ? assigned : inside.childNodes) walk(child, style.cursor, hidden);
    };

    if (document.body) walk(document.body, 'auto', false);
    if (!more) flush();
    return JSON.stringify({ address: cut(location.href, 4000), title: cut(document.title, MAX_NAME), items, more, last });
  };

  const element = (number) => {
    const found = elements.get(number)?.deref();
    return found?.isConnected ? found : null;
  };

  const changed = (field) => {
    field.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
  };

  // Makes a field ready to be typed into, its old content selected. Answers what is left to do: `type`, `done`, or why it cannot be.
  const ready = (field, text) => {
    if (field.disabled || field.readOnly) return 'it cannot be changed';
    field.scrollIntoView({ block: 'center', behavior: 'instant' });
    field.focus();
    if (field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && TYPED.has(field.type))) {
      field.select();
      return 'type';
    }
    if (field instanceof HTMLInputElement && ['date', 'time', 'month', 'week', 'datetime-local', 'color', 'range'].includes(field.type)) {
      field.value = text;
      changed(field);
      return field.value === text ? 'done' : `it does not take \`${cut(text, 60)}\``;
    }
    if (field.isContentEditable) {
      getSelection().selectAllChildren(field);
      return 'type';
    }
    return 'nothing can be typed into it';
  };

  const choose = (list, wanted) => {
    if (!(list instanceof HTMLSelectElement)) return 'it is no list to choose from';
    const all = [...list.options], trimmed = wanted.trim();
    const found = all.find((one) => one.label.trim() === trimmed) ?? all.find((one) => one.value === wanted);
    if (list.disabled || !found || found.disabled) return `it has no choice \`${cut(wanted, MAX_OPTION)}\``;
    if (list.multiple) found.selected = !found.selected;
    else list.selectedIndex = all.indexOf(found);
    changed(list);
    return 'done';
  };

  const submit = (field) => {
    const form = field.form ?? field.closest('form');
    if (!form) return 'it is in no form';
    const sends = field.matches('button, input[type=submit], input[type=image]') && field.form === form ? field : null;
    if (!form.checkValidity()) {
      const wrong = form.querySelector(':invalid:not(fieldset)');
      return `the form is not complete: ${wrong ? `${nameOf(wrong) || 'a field'}: ${cut(wrong.validationMessage, MAX_NAME)}` : 'a field is missing'}`;
    }
    form.requestSubmit(sends);
    return 'done';
  };

  // Tells where to press: the middle of what is in sight, if nothing lies over it.
  const point = (target) => {
    target.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    for (const box of target.getClientRects()) {
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      const hit = document.elementFromPoint(x, y);
      if (hit && (target.contains(hit) || hit.contains(target) && !hit.matches('html, body') || hit.shadowRoot?.contains(target)
        || hit.closest('label')?.control === target)) return JSON.stringify({ x, y });
    }
    return '';
  };

  // Presses what a pointer does not reach.
  const press = (target) => {
    if (target.disabled) return 'it cannot be pressed';
    target.click();
    return 'done';
  };

  globalThis.bailey = { view, element, ready, choose, submit, point, press };
})();

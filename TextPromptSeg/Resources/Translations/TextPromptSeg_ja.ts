<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>TextPromptSeg</name>
    <message>
        <source>Text Prompt Segmentation</source>
        <translation>テキストプロンプトセグメンテーション</translation>
    </message>
    <message>
        <source>Segment structures in CT, MR and X-ray images by typing what to segment. The same is available as the effect 'Text prompt' of Segment Editor. Results are suggestions for research and must be checked; they are not for diagnosis.</source>
        <translation>セグメント化する対象を入力するだけで、CT、MR、X線画像の構造をセグメント化します。同じ機能はセグメントエディターのエフェクト「テキストプロンプト」としても使えます。結果は研究用の提案であり、必ず確認が必要です。診断には使用できません。</translation>
    </message>
    <message>
        <source>Each checkpoint's card names the paper behind it, its training data and its licence.</source>
        <translation>各モデルのカードには、元となった論文、学習データ、ライセンスが記載されています。</translation>
    </message>
</context>
<context>
    <name>TextPromptSegEffect.SegmentEditorEffect</name>
    <message>
        <source>Text prompt</source>
        <translation>テキストプロンプト</translation>
    </message>
    <message>
        <source>&lt;html&gt;Segment by typing what to segment, for example &lt;i&gt;left kidney, spleen&lt;/i&gt;.&lt;br&gt;&lt;b&gt;Preview&lt;/b&gt; shows the current slice, &lt;b&gt;Threshold&lt;/b&gt; adjusts it, &lt;b&gt;Apply&lt;/b&gt; changes the selected segment in one undo step; masking options are honoured.&lt;p&gt;Keys:&lt;br&gt;{keys}&lt;p&gt;Results are suggestions for research and must be checked.&lt;/html&gt;</source>
        <translation>&lt;html&gt;対象を入力してセグメント化します。例: &lt;i&gt;left kidney, spleen&lt;/i&gt;&lt;br&gt;&lt;b&gt;プレビュー&lt;/b&gt;は現在のスライスを表示し、&lt;b&gt;しきい値&lt;/b&gt;で調整し、&lt;b&gt;適用&lt;/b&gt;は選択中のセグメントを、元に戻せる一つの操作として変更します。マスキングの設定に従います。&lt;p&gt;キー:&lt;br&gt;{keys}&lt;p&gt;結果は研究用の提案であり、必ず確認が必要です。&lt;/html&gt;</translation>
    </message>
</context>
<context>
    <name>boxes.candidates_box</name>
    <message>
        <source>One answer</source>
        <translation>回答は一つ</translation>
    </message>
    <message>
        <source> candidates</source>
        <translation> 件の候補</translation>
    </message>
    <message>
        <source>Show the candidate before; Apply takes the one that is shown.</source>
        <translation>前の候補を表示します。「適用」は表示中の候補を使います。</translation>
    </message>
    <message>
        <source>Show the next candidate; Apply takes the one that is shown.</source>
        <translation>次の候補を表示します。「適用」は表示中の候補を使います。</translation>
    </message>
    <message>
        <source>How many plausible answers to draw. First their mean is shown; the arrows flip.</source>
        <translation>生成するもっともらしい回答の数。最初に平均を表示し、矢印で切り替えます。</translation>
    </message>
    <message>
        <source>This checkpoint gives one answer; choose one that draws candidates (the section Checkpoints of the module says which do).</source>
        <translation>このモデルの回答は一つです。候補を生成するモデルを選んでください（モジュールの「モデル」欄に記載があります）。</translation>
    </message>
    <message>
        <source>not drawn yet</source>
        <translation>未生成</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>mean of {count}</source>
        <translation>{count} 件の平均</translation>
    </message>
    <message>
        <source>candidate {number} of {count}, {size}</source>
        <translation>候補 {number} / {count}、{size}</translation>
    </message>
    <message>
        <source>candidate {number} of {count} is empty</source>
        <translation>候補 {number} / {count} は空です</translation>
    </message>
</context>
<context>
    <name>boxes.hints_box</name>
    <message>
        <source>Box</source>
        <translation>ボックス</translation>
    </message>
    <message>
        <source>Choose or draw a box</source>
        <translation>ボックスを選択または描画</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>内側</translation>
    </message>
    <message>
        <source>Points on it</source>
        <translation>構造上の点</translation>
    </message>
    <message>
        <source>Outside</source>
        <translation>外側</translation>
    </message>
    <message>
        <source>Points beside it</source>
        <translation>構造外の点</translation>
    </message>
    <message>
        <source>A box around the structure. It tells the network where to look; the range, in contrast, only cuts off what lies outside.</source>
        <translation>構造を囲むボックス。ネットワークにどこを見るかを伝えます。範囲は、その外側を切り捨てるだけです。</translation>
    </message>
    <message>
        <source>Points or a scribble on the structure. A point whose name begins with '-' lies beside it.</source>
        <translation>構造上の点またはなぞり線。名前が「-」で始まる点は構造の外にあります。</translation>
    </message>
    <message>
        <source>Points or a scribble beside the structure; may be left out.</source>
        <translation>構造の外の点またはなぞり線。省略できます。</translation>
    </message>
    <message>
        <source>Two passes</source>
        <translation>2パス</translation>
    </message>
    <message>
        <source>Find a box by the text first, then ask again with that box.</source>
        <translation>まずテキストでボックスを見つけ、そのボックスでもう一度問い合わせます。</translation>
    </message>
    <message>
        <source>Slice to slice</source>
        <translation>スライスからスライスへ</translation>
    </message>
    <message>
        <source>Give each slice the box of what was found in the slice before.</source>
        <translation>前のスライスで見つかったもののボックスを、次のスライスに渡します。</translation>
    </message>
    <message>
        <source>Start from the segment</source>
        <translation>セグメントから始める</translation>
    </message>
    <message>
        <source>Box and points make the selected segment better instead of asking anew: its mask goes into the network, or where that takes none the box around it on each slice.</source>
        <translation>ボックスと点は、新たに問い合わせる代わりに選択中のセグメントを改善します。そのマスクをネットワークに入力し、マスクを受け付けないネットワークでは各スライスでそれを囲むボックスを使います。</translation>
    </message>
    <message>
        <source>Choose or draw a box, or set the hints to text alone.</source>
        <translation>ボックスを選択または描画するか、ヒントをテキストのみにしてください。</translation>
    </message>
    <message>
        <source>Choose or place points, or set the hints to text alone.</source>
        <translation>点を選択または配置するか、ヒントをテキストのみにしてください。</translation>
    </message>
    <message>
        <source>Text alone</source>
        <translation>テキストのみ</translation>
    </message>
    <message>
        <source>Text and a box</source>
        <translation>テキストとボックス</translation>
    </message>
    <message>
        <source>Text and points</source>
        <translation>テキストと点</translation>
    </message>
    <message>
        <source>Text, a box and points</source>
        <translation>テキスト、ボックス、点</translation>
    </message>
    <message>
        <source>What helps the network to find the structure, beside the text.</source>
        <translation>テキストのほかに、ネットワークが構造を見つけるのを助けるもの。</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points (the section Checkpoints of the module says which do).</source>
        <translation>このモデルはテキストだけを受け付けます。ボックスや点を受け付けるモデルを選んでください（モジュールの「モデル」欄に記載があります）。</translation>
    </message>
</context>
<context>
    <name>boxes.markups_box</name>
    <message>
        <source>Draw</source>
        <translation>描画</translation>
    </message>
    <message>
        <source>Draw in a slice view; press Escape to end.</source>
        <translation>スライスビューで描画します。Escキーで終了します。</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>なぞる</translation>
    </message>
    <message>
        <source>Draw a line on the structure, click by click; a right click or Escape ends it. The network gets points along it.</source>
        <translation>構造の上をクリックしながら線を描きます。右クリックまたはEscキーで終了します。ネットワークには線に沿った点が渡されます。</translation>
    </message>
</context>
<context>
    <name>boxes.modality_box</name>
    <message>
        <source>The grey values are scaled for the network by what the image is. After a run the outcome says what it was taken for; correct it here.</source>
        <translation>画像の種類に応じて、グレー値がネットワーク用にスケーリングされます。実行後、何として扱ったかが結果に表示されます。ここで訂正できます。</translation>
    </message>
    <message>
        <source>As the image says</source>
        <translation>画像の情報どおり</translation>
    </message>
    <message>
        <source>CT</source>
        <translation>CT</translation>
    </message>
    <message>
        <source>MR</source>
        <translation>MR</translation>
    </message>
    <message>
        <source>X-ray</source>
        <translation>X線</translation>
    </message>
</context>
<context>
    <name>boxes.model_box</name>
    <message>
        <source>Checkpoint: the trained network that answers the prompt.</source>
        <translation>モデル: プロンプトに答える学習済みネットワーク。</translation>
    </message>
    <message>
        <source>No checkpoint is installed</source>
        <translation>モデルがインストールされていません</translation>
    </message>
    <message>
        <source>The checkpoint '{title}' may only be used under this licence:

{licence}
{line}

Use it under this licence?</source>
        <translation>モデル「{title}」は次のライセンスの下でのみ使用できます。

{licence}
{line}

このライセンスの下で使用しますか?</translation>
    </message>
    <message>
        <source>Licence of the checkpoint</source>
        <translation>モデルのライセンス</translation>
    </message>
    <message>
        <source>Images: {modalities}; slices: {planes}; {prompts}</source>
        <translation>画像: {modalities}、スライス: {planes}、{prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>記載なし</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>任意の語（オープン語彙）</translation>
    </message>
    <message>
        <source>{count} trained prompts</source>
        <translation>学習済みプロンプト {count} 件</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>測定結果: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>ライセンス: {licence}</translation>
    </message>
    <message>
        <source>Size {size}, memory about {memory}</source>
        <translation>サイズ {size}、メモリ約 {memory}</translation>
    </message>
    <message>
        <source>boxes</source>
        <translation>ボックス</translation>
    </message>
    <message>
        <source>points</source>
        <translation>点</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>マスク</translation>
    </message>
    <message>
        <source>draws candidates</source>
        <translation>候補を生成</translation>
    </message>
    <message>
        <source>shows where it looked</source>
        <translation>注目した場所を表示</translation>
    </message>
    <message>
        <source>Takes: {what}</source>
        <translation>受け付けるもの: {what}</translation>
    </message>
    <message>
        <source>text</source>
        <translation>テキスト</translation>
    </message>
</context>
<context>
    <name>boxes.parse_view</name>
    <message>
        <source>How the prompt was understood. Click a name to change it.</source>
        <translation>プロンプトの解釈。名前をクリックすると変更できます。</translation>
    </message>
    <message>
        <source>Use '{name}'</source>
        <translation>「{name}」を使う</translation>
    </message>
    <message>
        <source>Ask the network in these words</source>
        <translation>この語のままネットワークに問い合わせる</translation>
    </message>
    <message>
        <source>Whole '{name}'</source>
        <translation>「{name}」全体</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>削除</translation>
    </message>
</context>
<context>
    <name>boxes.region_box</name>
    <message>
        <source>Part of the image that Apply segments; nothing is found outside.</source>
        <translation>「適用」でセグメント化する画像の部分。その外側では何も見つけません。</translation>
    </message>
    <message>
        <source>Current slice</source>
        <translation>現在のスライス</translation>
    </message>
    <message>
        <source>Slice range</source>
        <translation>スライスの範囲</translation>
    </message>
    <message>
        <source>Region of interest</source>
        <translation>関心領域</translation>
    </message>
    <message>
        <source>Whole volume</source>
        <translation>ボリューム全体</translation>
    </message>
    <message>
        <source>from</source>
        <translation>開始</translation>
    </message>
    <message>
        <source>to</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>領域</translation>
    </message>
    <message>
        <source>Choose or draw a region of interest</source>
        <translation>関心領域を選択または描画</translation>
    </message>
</context>
<context>
    <name>boxes.run_bar</name>
    <message>
        <source>Apply</source>
        <translation>適用</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>開始しています...</translation>
    </message>
</context>
<context>
    <name>boxes.threshold_box</name>
    <message>
        <source>Probability from which a voxel belongs to the structure. Moving it needs no new run.</source>
        <translation>ボクセルが構造に属するとみなす確率の下限。動かしても再実行は不要です。</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>自動</translation>
    </message>
    <message>
        <source>Use the threshold that the checkpoint was tuned for.</source>
        <translation>モデルが調整されたときのしきい値を使います。</translation>
    </message>
    <message>
        <source>A candidate is drawn at the checkpoint's threshold; flip to the mean to move it.</source>
        <translation>候補はモデルのしきい値で描かれます。動かすには平均に切り替えてください。</translation>
    </message>
</context>
<context>
    <name>effect.controller</name>
    <message>
        <source>There is no segment yet; press Apply first.</source>
        <translation>まだセグメントがありません。先に「適用」を押してください。</translation>
    </message>
    <message>
        <source>Select a segment that was made by a text prompt, then press Again.</source>
        <translation>テキストプロンプトで作成したセグメントを選択し、「再実行」を押してください。</translation>
    </message>
    <message>
        <source>Prompt, checkpoint and threshold are those of the selected segment.</source>
        <translation>プロンプト、モデル、しきい値は選択中のセグメントのものです。</translation>
    </message>
    <message>
        <source>The next run starts from it: place points, or draw a box.</source>
        <translation>次の実行はこれから始まります。点を配置するか、ボックスを描いてください。</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>キャンセルしました。何も変更されていません。</translation>
    </message>
    <message>
        <source>The segmentation was deleted during the run; nothing was changed.</source>
        <translation>実行中にセグメンテーションが削除されました。何も変更されていません。</translation>
    </message>
    <message>
        <source>Another segmentation or volume was selected meanwhile; nothing was written.</source>
        <translation>その間に別のセグメンテーションまたはボリュームが選択されました。何も書き込まれていません。</translation>
    </message>
    <message>
        <source>probably {name} is outside this field of view</source>
        <translation>{name}はおそらくこの撮像範囲の外にあります</translation>
    </message>
</context>
<context>
    <name>effect.fold</name>
    <message>
        <source>Options</source>
        <translation>オプション</translation>
    </message>
    <message>
        <source>Changed: {list}</source>
        <translation>変更: {list}</translation>
    </message>
</context>
<context>
    <name>effect.hand_keys</name>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>プレビュー</translation>
    </message>
    <message>
        <source>Ctrl+Enter</source>
        <translation>Ctrl+Enter</translation>
    </message>
    <message>
        <source>apply</source>
        <translation>適用</translation>
    </message>
    <message>
        <source>Escape</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>end drawing, cancel a run, switch the preview off</source>
        <translation>描画の終了、実行のキャンセル、プレビューの終了</translation>
    </message>
    <message>
        <source>draw a box</source>
        <translation>ボックスを描く</translation>
    </message>
    <message>
        <source>set points</source>
        <translation>点を配置する</translation>
    </message>
    <message>
        <source>points on the structure or beside it</source>
        <translation>構造上の点または構造外の点</translation>
    </message>
    <message>
        <source>next segment</source>
        <translation>次のセグメント</translation>
    </message>
    <message>
        <source>Draw in a slice view (key B); press Escape to end.</source>
        <translation>スライスビューで描画します（Bキー）。Escキーで終了します。</translation>
    </message>
    <message>
        <source>Set points in a slice view (key O; T changes between points on the structure and beside it); press Escape to end.</source>
        <translation>スライスビューに点を配置します（Oキー。Tキーで構造上の点と構造外の点を切り替えます）。Escキーで終了します。</translation>
    </message>
    <message>
        <source>The next points lie on the structure.</source>
        <translation>次の点は構造上の点です。</translation>
    </message>
    <message>
        <source>The next points lie beside the structure.</source>
        <translation>次の点は構造外の点です。</translation>
    </message>
    <message>
        <source>This checkpoint listens to text alone; choose one that takes boxes or points.</source>
        <translation>このモデルはテキストだけを受け付けます。ボックスや点を受け付けるモデルを選んでください。</translation>
    </message>
</context>
<context>
    <name>effect.live_preview</name>
    <message>
        <source>Preview: a third by height needs the whole image, which is searched once...</source>
        <translation>プレビュー: 高さの3分の1には画像全体が必要なため、一度検索しています...</translation>
    </message>
    <message>
        <source>Preview...</source>
        <translation>プレビュー...</translation>
    </message>
    <message>
        <source>axial</source>
        <translation>軸位断</translation>
    </message>
    <message>
        <source>coronal</source>
        <translation>冠状断</translation>
    </message>
    <message>
        <source>sagittal</source>
        <translation>矢状断</translation>
    </message>
    <message>
        <source>Previewed on the {plane} slice {number} of {count}, which no view shows: the line shows where it lies.</source>
        <translation>どのビューにも表示されていない{plane}のスライス {number} / {count} をプレビューしました。線がその位置を示します。</translation>
    </message>
    <message>
        <source>{name}, candidate {number}</source>
        <translation>{name}、候補 {number}</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice</source>
        <translation>{name}: このスライスで {area:.1f} cm²</translation>
    </message>
    <message>
        <source>{name}: {area:.1f} cm² on this slice, max p {p:.2f}</source>
        <translation>{name}: このスライスで {area:.1f} cm²、最大 p {p:.2f}</translation>
    </message>
    <message>
        <source>{name}: not on this slice, max p {p:.2f}</source>
        <translation>{name}: このスライスにはありません、最大 p {p:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.names_menu</name>
    <message>
        <source>Names</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>What this checkpoint knows well: everything, the organs of a region, or one by one.</source>
        <translation>このモデルがよく知るもの: すべて、領域ごとの臓器、または一つずつ。</translation>
    </message>
    <message>
        <source>Everything ({count})</source>
        <translation>すべて ({count})</translation>
    </message>
    <message>
        <source>{region} ({count})</source>
        <translation>{region} ({count})</translation>
    </message>
    <message>
        <source>All organs of the region</source>
        <translation>この領域のすべての臓器</translation>
    </message>
    <message>
        <source>Other ({count})</source>
        <translation>その他 ({count})</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>頭部</translation>
    </message>
    <message>
        <source>Neck</source>
        <translation>頸部</translation>
    </message>
    <message>
        <source>Chest</source>
        <translation>胸部</translation>
    </message>
    <message>
        <source>Abdomen</source>
        <translation>腹部</translation>
    </message>
    <message>
        <source>Pelvis</source>
        <translation>骨盤</translation>
    </message>
    <message>
        <source>Limbs</source>
        <translation>四肢</translation>
    </message>
</context>
<context>
    <name>effect.options</name>
    <message>
        <source>What to segment, for example "left kidney, spleen"</source>
        <translation>セグメント化する対象。例: left kidney, spleen</translation>
    </message>
    <message>
        <source>Names, synonyms, sides, thirds and lists are understood: 'upper left lung', 'liver without tumor'. Press Enter to preview. The prompt is saved with the scene.</source>
        <translation>名前、同義語、左右、3分の1、リストを解釈します。例: 「upper left lung」、「liver without tumor」。Enterキーでプレビューします。プロンプトはシーンとともに保存されます。</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>再実行</translation>
    </message>
    <message>
        <source>Take prompt, checkpoint and threshold from the selected segment, to run them again; with a box or points the next run starts from its mask.</source>
        <translation>選択中のセグメントのプロンプト、モデル、しきい値で再実行します。ボックスや点があれば、次の実行はそのマスクから始まります。</translation>
    </message>
    <message>
        <source>What happens to the selected segment. With 'Set', several structures become several segments; the other operations use them together.</source>
        <translation>選択中のセグメントへの操作。「設定」では複数の構造が複数のセグメントになり、ほかの操作ではまとめて使われます。</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Intersect</source>
        <translation>交差</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>プレビュー</translation>
    </message>
    <message>
        <source>Show the result on the current slice (Enter in the prompt line). It follows the slice, the prompt and the threshold until it is switched off (Escape).</source>
        <translation>現在のスライスに結果を表示します（プロンプト欄でEnterキー）。オフにするまで、スライス、プロンプト、しきい値に追従します（Escキー）。</translation>
    </message>
    <message>
        <source>Segment the chosen range and change the selected segment, as one undo step (Ctrl+Enter; Escape cancels).</source>
        <translation>選択した範囲をセグメント化し、選択中のセグメントを、元に戻せる一つの操作として変更します（Ctrl+Enter。Escキーでキャンセル）。</translation>
    </message>
    <message>
        <source>3-D</source>
        <translation>3D</translation>
    </message>
    <message>
        <source>Show the segments as surfaces in the 3-D views, or hide them there.</source>
        <translation>セグメントを3Dビューにサーフェスとして表示、または非表示にします。</translation>
    </message>
    <message>
        <source>Prompt:</source>
        <translation>プロンプト:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>画像の種類:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>モデル:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>ヒント:</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>候補:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>範囲:</translation>
    </message>
    <message>
        <source>Operation:</source>
        <translation>操作:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>しきい値:</translation>
    </message>
    <message>
        <source>Overlay:</source>
        <translation>オーバーレイ:</translation>
    </message>
    <message>
        <source>threshold {value:.2f}</source>
        <translation>しきい値 {value:.2f}</translation>
    </message>
</context>
<context>
    <name>effect.overlay_box</name>
    <message>
        <source>Show over the image how probable each voxel is, how unsure the answer, or where the network looked; of several structures the largest value.</source>
        <translation>各ボクセルの確率、回答の不確かさ、またはネットワークが注目した場所を画像に重ねて表示します。複数の構造では最大の値を示します。</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>確率</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>不確かさ</translation>
    </message>
    <message>
        <source>Heat map: where the network looked</source>
        <translation>ヒートマップ: ネットワークが注目した場所</translation>
    </message>
</context>
<context>
    <name>effect.preview</name>
    <message>
        <source>Text prompt preview</source>
        <translation>テキストプロンプトのプレビュー</translation>
    </message>
    <message>
        <source>Text prompt slice</source>
        <translation>テキストプロンプトのスライス</translation>
    </message>
</context>
<context>
    <name>effect.readiness</name>
    <message>
        <source>Loading the checkpoint... {seconds} s</source>
        <translation>モデルを読み込んでいます... {seconds} 秒</translation>
    </message>
</context>
<context>
    <name>effect.source</name>
    <message>
        <source>No slice view is shown; choose a layout with one.</source>
        <translation>スライスビューが表示されていません。スライスビューのあるレイアウトを選んでください。</translation>
    </message>
    <message>
        <source>The slice view is outside the volume; scroll to the volume.</source>
        <translation>スライスビューがボリュームの外にあります。ボリュームまでスクロールしてください。</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>セグメント化する対象を入力してください。例: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one in the module Text Prompt Segmentation.</source>
        <translation>モデルがインストールされていません。モジュール「テキストプロンプトセグメンテーション」でインポートしてください。</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>モデルのライセンスに同意していません。</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>関心領域を選択するか、別の範囲を選んでください。</translation>
    </message>
</context>
<context>
    <name>panel.batch_section</name>
    <message>
        <source>Batch</source>
        <translation>バッチ</translation>
    </message>
    <message>
        <source>Volumes of the scene</source>
        <translation>シーンのボリューム</translation>
    </message>
    <message>
        <source>Images of a folder</source>
        <translation>フォルダーの画像</translation>
    </message>
    <message>
        <source>Folder with images</source>
        <translation>画像のフォルダー</translation>
    </message>
    <message>
        <source>Folder for results and summary.csv</source>
        <translation>結果と summary.csv のフォルダー</translation>
    </message>
    <message>
        <source>Skip images that an earlier run finished</source>
        <translation>以前の実行で完了した画像をスキップ</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>プロンプト</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>ml</source>
        <translation>ml</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>備考</translation>
    </message>
    <message>
        <source>Use the prompts, checkpoint and threshold chosen above.</source>
        <translation>上で選んだプロンプト、モデル、しきい値を使います。</translation>
    </message>
    <message>
        <source>Images:</source>
        <translation>画像:</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>フォルダー:</translation>
    </message>
    <message>
        <source>Results:</source>
        <translation>結果:</translation>
    </message>
    <message>
        <source>Cancelled; what was finished is in the results folder.</source>
        <translation>キャンセルしました。完了したものは結果フォルダーにあります。</translation>
    </message>
    <message>
        <source>done before</source>
        <translation>完了済み</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失敗</translation>
    </message>
    <message>
        <source>{done} of {total} images done, {failed} failed.</source>
        <translation>{total} 件中 {done} 件の画像が完了、{failed} 件が失敗しました。</translation>
    </message>
    <message>
        <source>Table: {path}</source>
        <translation>表: {path}</translation>
    </message>
    <message>
        <source>Choose the folders of the images and of the results.</source>
        <translation>画像と結果のフォルダーを選んでください。</translation>
    </message>
</context>
<context>
    <name>panel.device_box</name>
    <message>
        <source>Where the network runs. Automatic takes the GPU with most memory.</source>
        <translation>ネットワークを実行する場所。「自動」はメモリが最も多いGPUを使います。</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Start the worker and list devices with their free memory.</source>
        <translation>ワーカーを起動し、デバイスと空きメモリを一覧表示します。</translation>
    </message>
    <message>
        <source>Unload model</source>
        <translation>モデルを解放</translation>
    </message>
    <message>
        <source>End the worker process; all its memory is given back.</source>
        <translation>ワーカープロセスを終了し、メモリをすべて解放します。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自動</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{device}, {size} free</source>
        <translation>{device}、空き {size}</translation>
    </message>
    <message>
        <source>A run will need about {size}.</source>
        <translation>1回の実行に約 {size} が必要です。</translation>
    </message>
    <message>
        <source>A run will need about {size}; {free} are free.</source>
        <translation>1回の実行に約 {size} が必要です（空き {free}）。</translation>
    </message>
    <message>
        <source>Choose a smaller range or another device if it fails.</source>
        <translation>失敗する場合は、範囲を小さくするか別のデバイスを選んでください。</translation>
    </message>
</context>
<context>
    <name>panel.models_section</name>
    <message>
        <source>Checkpoints</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>メモリ</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>ライセンス</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>ダウンロード</translation>
    </message>
    <message>
        <source>Get this checkpoint; can resume.</source>
        <translation>このモデルを取得します。再開できます。</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Compare the sha256 of the weights.</source>
        <translation>重みの sha256 を照合します。</translation>
    </message>
    <message>
        <source>Model card</source>
        <translation>モデルカード</translation>
    </message>
    <message>
        <source>Training data, results, known failures.</source>
        <translation>学習データ、結果、既知の問題。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Delete an imported checkpoint.</source>
        <translation>インポートしたモデルを削除します。</translation>
    </message>
    <message>
        <source>Import folder...</source>
        <translation>フォルダーをインポート...</translation>
    </message>
    <message>
        <source>Copy a checkpoint folder.</source>
        <translation>モデルのフォルダーをコピーします。</translation>
    </message>
    <message>
        <source>Import zip...</source>
        <translation>zipをインポート...</translation>
    </message>
    <message>
        <source>Unpack a checkpoint zip.</source>
        <translation>モデルのzipを展開します。</translation>
    </message>
    <message>
        <source>Import weights...</source>
        <translation>重みをインポート...</translation>
    </message>
    <message>
        <source>Make a checkpoint of a file of weights that others publish.</source>
        <translation>他者が公開した重みのファイルからモデルを作成します。</translation>
    </message>
    <message>
        <source>Whose weights the file holds; nothing is guessed from its name.</source>
        <translation>ファイルに含まれる重みの提供元。名前からは推測しません。</translation>
    </message>
    <message>
        <source>Change folder...</source>
        <translation>フォルダーを変更...</translation>
    </message>
    <message>
        <source>Keep imported and downloaded checkpoints elsewhere; what is there is not moved.</source>
        <translation>インポートおよびダウンロードしたモデルを別の場所に保存します。既存のものは移動しません。</translation>
    </message>
    <message>
        <source>Imported checkpoints are kept in {folder}</source>
        <translation>インポートしたモデルの保存先: {folder}</translation>
    </message>
    <message>
        <source>shipped</source>
        <translation>同梱</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>インポート済み</translation>
    </message>
    <message>
        <source>download</source>
        <translation>ダウンロード可</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>破損</translation>
    </message>
    <message>
        <source>{name} is installed; its sha256 is right.</source>
        <translation>{name} はインストール済みで、sha256 は正しいです。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Folder of a checkpoint</source>
        <translation>モデルのフォルダー</translation>
    </message>
    <message>
        <source>Zip of a checkpoint</source>
        <translation>モデルのzip</translation>
    </message>
    <message>
        <source>File of weights</source>
        <translation>重みのファイル</translation>
    </message>
    <message>
        <source>{name} was imported.</source>
        <translation>{name} をインポートしました。</translation>
    </message>
    <message>
        <source>Folder for checkpoints</source>
        <translation>モデルのフォルダー</translation>
    </message>
    <message>
        <source>Delete the checkpoint '{name}' from this computer?</source>
        <translation>モデル「{name}」をこのコンピューターから削除しますか?</translation>
    </message>
    <message>
        <source>{name} was deleted.</source>
        <translation>{name} を削除しました。</translation>
    </message>
    <message>
        <source>This checkpoint has no model card.</source>
        <translation>このモデルにはモデルカードがありません。</translation>
    </message>
    <message>
        <source>Download '{title}' ({size})?

Licence: {licence}
{line}</source>
        <translation>「{title}」をダウンロードしますか ({size})?

ライセンス: {licence}
{line}</translation>
    </message>
    <message>
        <source>Download a checkpoint</source>
        <translation>モデルのダウンロード</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>キャンセルしました。</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} ほか {count} 件</translation>
    </message>
    <message>
        <source>any words (open vocabulary)</source>
        <translation>任意の語（オープン語彙）</translation>
    </message>
    <message>
        <source>Trained on: {prompts}</source>
        <translation>学習対象: {prompts}</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>記載なし</translation>
    </message>
    <message>
        <source>Measured: {tiers}</source>
        <translation>測定結果: {tiers}</translation>
    </message>
    <message>
        <source>Licence: {licence}</source>
        <translation>ライセンス: {licence}</translation>
    </message>
</context>
<context>
    <name>panel.panel</name>
    <message>
        <source>The console call is on the clipboard.</source>
        <translation>コンソール呼び出しをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>Undone.</source>
        <translation>元に戻しました。</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>元に戻すものがありません。</translation>
    </message>
    <message>
        <source>{count} candidates were added as segments.</source>
        <translation>{count} 件の候補をセグメントとして追加しました。</translation>
    </message>
    <message>
        <source>No volume is selected; load or choose one first.</source>
        <translation>ボリュームが選択されていません。先に読み込むか選択してください。</translation>
    </message>
    <message>
        <source>Type what to segment, for example: liver</source>
        <translation>セグメント化する対象を入力してください。例: liver</translation>
    </message>
    <message>
        <source>No checkpoint is installed; import one under Checkpoints.</source>
        <translation>モデルがインストールされていません。「モデル」でインポートしてください。</translation>
    </message>
    <message>
        <source>The licence of the checkpoint was not accepted.</source>
        <translation>モデルのライセンスに同意していません。</translation>
    </message>
    <message>
        <source>Select a region of interest, or another range.</source>
        <translation>関心領域を選択するか、別の範囲を選んでください。</translation>
    </message>
    <message>
        <source>Cancelled; nothing was changed.</source>
        <translation>キャンセルしました。何も変更されていません。</translation>
    </message>
    <message>
        <source>{count} frames were segmented.</source>
        <translation>{count} フレームをセグメント化しました。</translation>
    </message>
</context>
<context>
    <name>panel.results_section</name>
    <message>
        <source>Results</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>プロンプト</translation>
    </message>
    <message>
        <source>Outcome</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>max p</source>
        <translation>最大 p</translation>
    </message>
    <message>
        <source>s</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Probability</source>
        <translation>確率</translation>
    </message>
    <message>
        <source>Show the probability of the selected row over the image, as a volume.</source>
        <translation>選択した行の確率を、ボリュームとして画像に重ねて表示します。</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>不確かさ</translation>
    </message>
    <message>
        <source>Show where the answer of the selected row is unsure, as a volume.</source>
        <translation>選択した行の回答が不確かな場所を、ボリュームとして表示します。</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>ヒートマップ</translation>
    </message>
    <message>
        <source>Show where the network looked for the selected row, as a volume.</source>
        <translation>選択した行についてネットワークが注目した場所を、ボリュームとして表示します。</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>候補</translation>
    </message>
    <message>
        <source>Add every candidate of the selected row as a segment, to choose from.</source>
        <translation>選択した行のすべての候補を、選べるようにセグメントとして追加します。</translation>
    </message>
    <message>
        <source>Copy as Python</source>
        <translation>Pythonとしてコピー</translation>
    </message>
    <message>
        <source>Put the console call that does the same on the clipboard.</source>
        <translation>同じことを行うコンソール呼び出しをクリップボードにコピーします。</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>表をコピー</translation>
    </message>
    <message>
        <source>Put the table with sizes and outcomes on the clipboard, for a spreadsheet.</source>
        <translation>サイズと結果の表を、表計算用にクリップボードにコピーします。</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>統計</translation>
    </message>
    <message>
        <source>Compute volumes and intensities of all segments into a Segment Statistics table.</source>
        <translation>すべてのセグメントの体積と強度を計算し、セグメント統計の表に出力します。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Take back the last run of this panel.</source>
        <translation>このパネルの最後の実行を取り消します。</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>表示</translation>
    </message>
    <message>
        <source>Show the middle of this structure in the slice views.</source>
        <translation>この構造の中心をスライスビューに表示します。</translation>
    </message>
    <message>
        <source>Volume (ml)</source>
        <translation>体積 (ml)</translation>
    </message>
    <message>
        <source>Voxels</source>
        <translation>ボクセル</translation>
    </message>
    <message>
        <source>Remark</source>
        <translation>備考</translation>
    </message>
    <message>
        <source>{name} statistics</source>
        <translation>{name} の統計</translation>
    </message>
    <message>
        <source>{outcome}, unusual</source>
        <translation>{outcome}、通常と異なる</translation>
    </message>
    <message>
        <source>found</source>
        <translation>検出</translation>
    </message>
    <message>
        <source>below threshold</source>
        <translation>しきい値未満</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>検出なし</translation>
    </message>
    <message>
        <source>not trained</source>
        <translation>未学習</translation>
    </message>
</context>
<context>
    <name>panel.scene_batch</name>
    <message>
        <source>It was deleted.</source>
        <translation>削除されました。</translation>
    </message>
    <message>
        <source>Image {number} of {count}: {progress}</source>
        <translation>画像 {number} / {count}: {progress}</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>キャンセルしました。</translation>
    </message>
</context>
<context>
    <name>panel.segment_section</name>
    <message>
        <source>Segment</source>
        <translation>セグメント化</translation>
    </message>
    <message>
        <source>The image; a sequence is segmented frame by frame.</source>
        <translation>画像。シーケンスはフレームごとにセグメント化されます。</translation>
    </message>
    <message>
        <source>All frames of the sequence</source>
        <translation>シーケンスの全フレーム</translation>
    </message>
    <message>
        <source>One structure per line, or several with commas</source>
        <translation>1行に1つの構造、またはコンマ区切りで複数</translation>
    </message>
    <message>
        <source>One answer</source>
        <translation>回答は一つ</translation>
    </message>
    <message>
        <source>How many plausible answers to draw; the result is their mean, with its uncertainty.</source>
        <translation>生成するもっともらしい回答の数。結果はその平均と不確かさです。</translation>
    </message>
    <message>
        <source>Candidates:</source>
        <translation>候補:</translation>
    </message>
    <message>
        <source>Segments are added to it; its own segments stay as they are.</source>
        <translation>ここにセグメントを追加します。既存のセグメントはそのまま残ります。</translation>
    </message>
    <message>
        <source>Create new segmentation</source>
        <translation>新しいセグメンテーションを作成</translation>
    </message>
    <message>
        <source>Segment the image; the window stays free meanwhile.</source>
        <translation>画像をセグメント化します。その間もウィンドウは操作できます。</translation>
    </message>
    <message>
        <source>Input volume:</source>
        <translation>入力ボリューム:</translation>
    </message>
    <message>
        <source>Image is:</source>
        <translation>画像の種類:</translation>
    </message>
    <message>
        <source>Prompts:</source>
        <translation>プロンプト:</translation>
    </message>
    <message>
        <source>Checkpoint:</source>
        <translation>モデル:</translation>
    </message>
    <message>
        <source>Hints:</source>
        <translation>ヒント:</translation>
    </message>
    <message>
        <source>Range:</source>
        <translation>範囲:</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>しきい値:</translation>
    </message>
    <message>
        <source>Device:</source>
        <translation>デバイス:</translation>
    </message>
    <message>
        <source>Output:</source>
        <translation>出力:</translation>
    </message>
</context>
<context>
    <name>panel.sequence_run</name>
    <message>
        <source>Frame {number} of {count}: {progress}</source>
        <translation>フレーム {number} / {count}: {progress}</translation>
    </message>
</context>
<context>
    <name>panel.setup_section</name>
    <message>
        <source>Dependencies</source>
        <translation>依存パッケージ</translation>
    </message>
    <message>
        <source>Install</source>
        <translation>インストール</translation>
    </message>
    <message>
        <source>Folder with wheels, to install without a network</source>
        <translation>ネットワークなしでインストールするための wheel のフォルダー</translation>
    </message>
    <message>
        <source>Slicer's own Python</source>
        <translation>Slicer自身のPython</translation>
    </message>
    <message>
        <source>Another Python interpreter with textpromptseg installed, to run the worker in.</source>
        <translation>ワーカーを実行する、textpromptseg をインストール済みの別のPythonインタープリター。</translation>
    </message>
    <message>
        <source>Offline:</source>
        <translation>オフライン:</translation>
    </message>
    <message>
        <source>Interpreter:</source>
        <translation>インタープリター:</translation>
    </message>
    <message>
        <source>The last installation was not finished; press Install to go on.</source>
        <translation>前回のインストールは完了していません。続けるには「インストール」を押してください。</translation>
    </message>
    <message>
        <source>Folder with wheels</source>
        <translation>wheel のフォルダー</translation>
    </message>
</context>
<context>
    <name>shared.dependencies</name>
    <message>
        <source>There is no program '{path}'; choose a Python interpreter.</source>
        <translation>プログラム「{path}」がありません。Pythonインタープリターを選んでください。</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python: {error}.</source>
        <translation>「{path}」はPythonとして動作しません: {error}。</translation>
    </message>
    <message>
        <source>'{path}' does not run as Python.</source>
        <translation>「{path}」はPythonとして動作しません。</translation>
    </message>
    <message>
        <source>'{path}' lacks {names}; install textpromptseg there.</source>
        <translation>「{path}」には {names} がありません。そこに textpromptseg をインストールしてください。</translation>
    </message>
    <message>
        <source>Segmenting needs these Python packages first: {names}. &lt;a href="install"&gt;Open the module Text Prompt Segmentation&lt;/a&gt; and press Install.</source>
        <translation>セグメント化には、まず次のPythonパッケージが必要です: {names}。&lt;a href="install"&gt;モジュール「テキストプロンプトセグメンテーション」を開き&lt;/a&gt;、「インストール」を押してください。</translation>
    </message>
    <message>
        <source>Everything is installed.</source>
        <translation>すべてインストール済みです。</translation>
    </message>
    <message>
        <source>about {size} MB</source>
        <translation>約 {size} MB</translation>
    </message>
    <message>
        <source>about {cpu} MB; with a CUDA graphics card up to {gpu} MB</source>
        <translation>約 {cpu} MB、CUDA対応グラフィックスカードでは最大 {gpu} MB</translation>
    </message>
    <message>
        <source>Install will download into Slicer's Python:
{list}</source>
        <translation>「インストール」はSlicerのPythonに次をダウンロードします:
{list}</translation>
    </message>
    <message>
        <source>The folder '{folder}' does not exist.</source>
        <translation>フォルダー「{folder}」がありません。</translation>
    </message>
    <message>
        <source>Installing PyTorch...</source>
        <translation>PyTorchをインストールしています...</translation>
    </message>
    <message>
        <source>Installing {names}...</source>
        <translation>{names} をインストールしています...</translation>
    </message>
    <message>
        <source>The installation stopped: {reason}. What is already installed stays; press Install to go on, or choose a folder with wheels when there is no network.</source>
        <translation>インストールが止まりました: {reason}。インストール済みのものは残ります。続けるには「インストール」を押すか、ネットワークがない場合は wheel のフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>Still missing: {names}. Restart Slicer and press Install again.</source>
        <translation>まだ不足しています: {names}。Slicerを再起動し、もう一度「インストール」を押してください。</translation>
    </message>
    <message>
        <source>The extension PyTorch is needed to install torch for this computer; install it with the Extensions Manager, restart Slicer and press Install again.</source>
        <translation>このコンピューターに torch をインストールするには拡張機能PyTorchが必要です。拡張機能マネージャーでインストールし、Slicerを再起動して、もう一度「インストール」を押してください。</translation>
    </message>
    <message>
        <source>PyTorch was not installed; press Install to try again.</source>
        <translation>PyTorchはインストールされませんでした。「インストール」を押してもう一度お試しください。</translation>
    </message>
</context>
<context>
    <name>shared.overlays</name>
    <message>
        <source>probability</source>
        <translation>確率</translation>
    </message>
    <message>
        <source>uncertainty</source>
        <translation>不確かさ</translation>
    </message>
    <message>
        <source>heat map</source>
        <translation>ヒートマップ</translation>
    </message>
    <message>
        <source>Text prompt {map}</source>
        <translation>テキストプロンプト {map}</translation>
    </message>
</context>
<context>
    <name>shared.quality_words</name>
    <message>
        <source>good</source>
        <translation>良好</translation>
    </message>
    <message>
        <source>fair</source>
        <translation>中程度</translation>
    </message>
    <message>
        <source>experimental</source>
        <translation>実験的</translation>
    </message>
    <message>
        <source>{tier}, Dice {dice} in {count} cases</source>
        <translation>{tier}、Dice {dice}（{count} 例）</translation>
    </message>
</context>
<context>
    <name>shared.runs</name>
    <message>
        <source>{step}...</source>
        <translation>{step}...</translation>
    </message>
    <message>
        <source>Starting...</source>
        <translation>開始しています...</translation>
    </message>
    <message>
        <source>{percent} %</source>
        <translation>{percent} %</translation>
    </message>
    <message>
        <source>{progress}, about {time} left</source>
        <translation>{progress}、残り約 {time}</translation>
    </message>
    <message>
        <source>Computed on {device} in {time:.1f} s.</source>
        <translation>{device} で {time:.1f} 秒で計算しました。</translation>
    </message>
    <message>
        <source>Memory ran out, so it {steps}.</source>
        <translation>メモリが不足したため: {steps}。</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} 分 {seconds} 秒</translation>
    </message>
</context>
</TS>
